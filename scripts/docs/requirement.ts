/** One demand from outside that the product is held to. */
export interface Requirement {
  /** `S1`, `WS-6`, `ASVS-4.4.2`, `RFC-10.2`, `LOG-1`. */
  readonly id: string
  readonly text: string
  /** Tests that show it, beside those of the controls that name it. Paths from the root of the repository. */
  readonly tests: readonly string[]
  /** What is left to the host app, and what it is given to meet it. */
  readonly host?: string
}

const LIBRARY = 'packages/sallyport/test'

/** Builds a line; tests are paths below `packages/sallyport/test`, or from the root where they begin with `examples/` or `test/`. */
export function requirement(id: string, text: string, tests: readonly string[] = [], host?: string): Requirement {
  const paths = tests.map(path => (/^(?:examples|test)\//.test(path) ? path : `${LIBRARY}/${path}`))
  return host === undefined ? { id, text, tests: paths } : { id, text, tests: paths, host }
}
