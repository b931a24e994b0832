import { requireFunction, requireNumber, requireOptions } from '../shape/options.ts'

/** Options of `createMemoryStore`. */
export interface MemoryStoreOptions {
  /** Greatest number of budgets, of single uses, of leases and of revocations: each kind has its own bound. Default 1 000 000, at most 2^24. */
  readonly maxKeys?: number
  /** Ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/** A Map holds no more. */
export const MOST_KEYS: number = 2 ** 24

/** Throws a `TypeError` for options that cannot hold; `who` takes them. */
export function requireMemoryOptions(who: string, options: MemoryStoreOptions): void {
  requireOptions(who, options, ['maxKeys', 'now'], `${who}({ maxKeys: 1_000_000 })`)
  requireNumber(who, 'maxKeys', options.maxKeys, { least: 1, most: MOST_KEYS })
  requireFunction(who, 'now', options.now, '() => Date.now()')
}
