import { LONGEST_MS } from '../shape/duration.ts'
import { requireNumber, requireOptions } from '../shape/options.ts'
import type { GuardState } from './guard-state.ts'

/** Closes every connection within the given time and refuses new ones. Resolves when no connection is left. */
export async function drain(guard: GuardState, withinMs: number): Promise<void> {
  const { live, keeper } = guard
  if (guard.draining === null) guard.observer.drained(live.size)
  guard.draining ??= []
  unsubscribeIfDone(guard)
  if (live.size === 0) return
  const from = guard.runtime.now()
  for (const connection of live) {
    if (connection.leaveAt !== 0 && connection.leaveAt <= from + withinMs) continue
    connection.leaveAt = from + guard.runtime.random() * withinMs
    connection.ownRare().leaveBy = from + withinMs
    keeper.touch(connection)
  }
  await new Promise<void>(resolve => guard.draining?.push(resolve))
}

/** Must be called after a connection left. Resolves the drains if it was the last one. */
export function resolveIfDrained({ draining, live }: GuardState): void {
  if (draining !== null && live.size === 0) for (const done of draining) done()
}

/** After a drain the guard unsubscribes from the store. The store outlives the guards that a reload replaces. */
export function unsubscribeIfDone(guard: GuardState): void {
  if (guard.draining === null || guard.live.size > 0 || guard.lingering.size > 0 || guard.entering.size > 0) return
  guard.shared.leave()
  for (const unsubscribe of guard.subscriptions) unsubscribe()
  guard.subscriptions = []
}

/**
 * The time given to a drain, in ms. Undefined for the policy's time. Throws a `TypeError` for an invalid value, before
 * anything is drained.
 */
export function withinOf(who: string, options: unknown): number | undefined {
  // `process.on('SIGTERM', guard.drain)` passes the name of the signal.
  if (options === undefined || (typeof options === 'string' && options.startsWith('SIG'))) return undefined
  const { withinMs } = requireOptions(who, options, ['withinMs'], `${who}({ withinMs: 10_000 })`)
  requireNumber(who, 'withinMs', withinMs, { least: 0, most: LONGEST_MS, fraction: true })
  return withinMs as number | undefined
}
