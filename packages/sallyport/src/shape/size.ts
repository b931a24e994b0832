import type { Unusable } from './duration.ts'
import { nearest } from './nearest.ts'

/** No bound of the policy is above 1 GiB: what must be held in memory whole should never be. */
export const LARGEST_BYTES: number = 1024 ** 3

const UNITS: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['byte', 1],
  ['bytes', 1],
  ['kb', 1000],
  ['kib', 1024],
  ['mb', 1000 ** 2],
  ['mib', 1024 ** 2],
  ['gb', 1000 ** 3],
  ['gib', 1024 ** 3],
])

const EXAMPLES = "write bytes (65536) or words: '64 KiB', '1 MB'"

/** Bytes of a `Size`, a whole number from 1 to 1 GiB, or why it is none. */
export function parseSize(value: unknown): number | Unusable {
  if (typeof value === 'number') return bounded(value)
  if (typeof value !== 'string') return { message: 'a size is meant here', remedy: EXAMPLES }
  const text = value.trim()
  if (/^[\d.]+$/.test(text)) {
    return {
      message: 'a size without a unit',
      remedy: `write ${text.slice(0, 12)} without quotes, or '${text.slice(0, 12)} KiB', as it is meant`,
    }
  }
  const parts = /^([+-]?\d{1,12}(?:\.\d{1,6})?) ?([a-z]{1,12})$/i.exec(text)
  if (parts === null) return { message: 'not a size', remedy: EXAMPLES }
  const factor = UNITS.get(parts[2]!.toLowerCase())
  if (factor !== undefined) return bounded(Math.round(Number(parts[1]) * factor))
  const near = nearest(parts[2]!, ['bytes', 'KiB', 'KB', 'MiB', 'MB', 'GiB'])
  return near === undefined
    ? { message: 'not a unit of size', remedy: EXAMPLES }
    : { message: 'not a unit of size', remedy: `did you mean '${parts[1]} ${near}'?`, nearest: near }
}

function bounded(bytes: number): number | Unusable {
  if (!Number.isFinite(bytes)) return { message: 'not a finite size', remedy: EXAMPLES }
  if (!Number.isInteger(bytes) || bytes < 1)
    return { message: 'not a whole number of 1 byte or more', remedy: EXAMPLES }
  if (bytes > LARGEST_BYTES) return { message: 'more than 1 GiB', remedy: 'write less; large uploads belong to HTTP' }
  return bytes
}
