import type { Budget } from '../model/store.ts'

const TIMES: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'days'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
]
const SIZES: readonly (readonly [bytes: number, name: string])[] = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
]

/** `30 s`, `12 h`: the largest unit that leaves no fraction. */
export function durationInWords(ms: number): string {
  const unit = TIMES.find(([factor]) => ms >= factor && ms % factor === 0)
  if (unit === undefined) return `${countInWords(ms)} ms`
  return ms === 86_400_000 ? '1 day' : `${ms / unit[0]} ${unit[1]}`
}

/** `64 KiB`: the largest unit that leaves no fraction. */
export function sizeInWords(bytes: number): string {
  const unit = SIZES.find(([factor]) => bytes >= factor && bytes % factor === 0)
  return unit === undefined ? `${countInWords(bytes)} B` : `${bytes / unit[0]} ${unit[1]}`
}

/** `100 messages/min, burst 100`. */
export function budgetInWords({ amount, perMs, burst }: Budget, unit: string): string {
  return `${countInWords(amount)} ${unit}/${periodInWords(perMs)}, burst ${countInWords(burst)}`
}

/** What stands behind the slash of a rate: `min`, `10 s`. */
export function periodInWords(ms: number): string {
  const words = durationInWords(ms)
  return words.startsWith('1 ') ? words.slice(2) : words
}

/** `10 000`, with narrow no-break spaces left out so that it can be searched for. */
export function countInWords(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ' ')
}

const LISTED = 4

/** The first entries of a list, and how many more there are. */
export function listInWords(entries: readonly string[]): string {
  if (entries.length <= LISTED) return entries.join(', ')
  return `${entries.slice(0, LISTED).join(', ')} and ${entries.length - LISTED} more`
}
