import { nearest } from './nearest.ts'
import { durationInWords } from './words.ts'

/** Why a value cannot be used, and what to write. */
export interface Unusable {
  readonly message: string
  readonly remedy: string
  readonly nearest?: string
}

/** Timers of 2^31 ms and more fire at once: 24 whole days is the longest that one can be asked for. */
export const LONGEST_MS: number = 24 * 24 * 60 * 60 * 1000

const UNITS: ReadonlyMap<string, number> = new Map(
  [
    [1, 'ms', 'millisecond', 'milliseconds'],
    [1000, 's', 'sec', 'secs', 'second', 'seconds'],
    [60_000, 'm', 'min', 'mins', 'minute', 'minutes'],
    [3_600_000, 'h', 'hr', 'hrs', 'hour', 'hours'],
    [86_400_000, 'd', 'day', 'days'],
  ].flatMap(([factor, ...names]) => names.map(name => [name as string, factor as number] as const)),
)

const EXAMPLES = "write milliseconds (30000) or words: '30 seconds', '1 minute', '12 h'"

/**
 * Milliseconds of a `Duration`, rounded to a whole number, or why it is none. `least` is 0 where no time at all makes sense;
 * `most` is greater than a timer's bound where no timer waits for it.
 */
export function parseDuration(value: unknown, least = 1, most: number = LONGEST_MS): number | Unusable {
  if (typeof value === 'number') return bounded(value, least, most)
  if (typeof value !== 'string') return { message: 'a time is meant here', remedy: EXAMPLES }
  const text = value.trim()
  if (/^[\d.]+$/.test(text)) {
    return {
      message: 'a time without a unit',
      remedy: `write '${text.slice(0, 12)} ms' or '${text.slice(0, 12)} seconds', as it is meant`,
    }
  }
  const parts = /^([+-]?\d{1,12}(?:\.\d{1,6})?) ?([a-z]{1,16})$/i.exec(text)
  if (parts === null) {
    return /^[a-z]+$/i.test(text) && UNITS.has(text.toLowerCase())
      ? { message: 'a time without a number', remedy: `write '1 ${text}'` }
      : { message: 'not a time', remedy: EXAMPLES }
  }
  const unit = parts[2]!.toLowerCase()
  const factor = UNITS.get(unit)
  if (factor !== undefined) return bounded(Number(parts[1]) * factor, least, most)
  const near = nearest(
    unit,
    [...UNITS.keys()].filter(name => name.length > 2),
  )
  return near === undefined
    ? { message: 'not a unit of time', remedy: EXAMPLES }
    : { message: 'not a unit of time', remedy: `did you mean '${parts[1]} ${near}'?`, nearest: near }
}

function bounded(ms: number, least: number, most: number): number | Unusable {
  if (!Number.isFinite(ms))
    return {
      message: 'not a finite time',
      remedy: `${EXAMPLES}; to have no bound, see \`dangerouslyOff\` of the control`,
    }
  if (ms < least) return { message: `less than ${least} ms`, remedy: EXAMPLES }
  if (ms > most) {
    const remedy = `write '${durationInWords(most)}' or less`
    return { message: most === LONGEST_MS ? 'longer than a timer can wait' : 'too long a time', remedy }
  }
  return Math.round(ms)
}
