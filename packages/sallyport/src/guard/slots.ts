import { outlasts } from '../controls/handshake/connections.ts'
import type { Attempt } from '../model/attempt.ts'
import { LEASE_TTL_MS } from '../model/lease-time.ts'
import { unsubscribeIfDone } from './drain.ts'
import { attemptQuietly, type GuardState } from './guard-state.ts'

/** An attempt or its connection is over: gives its slots back. */
export function releaseAttempt(guard: GuardState, attempt: Attempt): void {
  guard.entering.leave(attempt)
  guard.context.halfOpen.leave(attempt)
  unsubscribeIfDone(guard)
  if (attempt.ended) return
  attempt.ended = true
  for (const { key } of attempt.leases) attemptQuietly(() => guard.store.release(key, attempt.id))
}

/** Renews the slots of an open connection, so that they do not lapse. */
export function renewSlots({ store }: GuardState, attempt: Attempt): void {
  for (const { key, cap } of attempt.leases) attemptQuietly(() => store.lease(key, attempt.id, cap, LEASE_TTL_MS))
}

/** Gives back the slots that were granted under a higher cap, or that this policy does not count. */
export function giveUpNarrowed({ policy, store }: GuardState, attempt: Attempt): void {
  const kept = attempt.leases.filter(lease => outlasts(policy, lease))
  for (const lease of attempt.leases) {
    if (!kept.includes(lease)) attemptQuietly(() => store.release(lease.key, attempt.id))
  }
  attempt.leases = kept
}
