/** fast-check as all tests use it: see `properties.ts` for what differs. */
export * as fc from './properties.ts'
