import { LONGEST_MS } from '../shape/duration.ts'
import { requireNumber, requireOptions } from '../shape/options.ts'

/**
 * The time that a drain was given, in ms; undefined for the policy's. Throws a `TypeError` for what is none, before
 * anything is drained.
 */
export function withinOf(who: string, options: unknown): number | undefined {
  // `process.on('SIGTERM', guard.drain)` hands over the name of the signal.
  if (options === undefined || (typeof options === 'string' && options.startsWith('SIG'))) return undefined
  const { withinMs } = requireOptions(who, options, ['withinMs'], `${who}({ withinMs: 10_000 })`)
  requireNumber(who, 'withinMs', withinMs, { least: 0, most: LONGEST_MS, fraction: true })
  return withinMs as number | undefined
}
