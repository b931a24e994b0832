import { end } from '../connection/ending.ts'
import type { RevocationTarget } from '../model/store.ts'
import { type Denial, deny } from '../model/verdict.ts'
import { isMeant, isOlder } from './entering.ts'
import { attemptQuietly, type GuardState } from './guard-state.ts'
import { readTarget } from './revocation-target.ts'

/** A store was lost and gave no time of its own: open connections end within this time, in ms. */
const LOST_WITHIN_MS = 5000

/** The denial of a connection whose right the operator revoked. */
export const REVOKED: Denial = deny('SALLY_LIFETIME_REVOKED')

/** See `Guard.revoke`. Throws a `TypeError` for a value that names no target. */
export async function revoke(guard: GuardState, given: unknown): Promise<void> {
  const { target, expiresAt } = readTarget(given)
  guard.observer.revoked(target)
  const ttlMs = guard.remembered.ttlMs(target, expiresAt, latestExpiry(guard, target))
  // Ends the connections of this node first, even if the store fails. The caller gets an error if other nodes were not
  // reached.
  endRevoked(guard, target)
  if (guard.marks === null) {
    guard.shared.store.revoke(target, ttlMs)
    return
  }
  // For the other guards of this name in this process, and for this guard while its store is away.
  attemptQuietly(() => guard.shared.store.revoke(target, ttlMs))
  await guard.store.revoke(target, ttlMs)
}

/**
 * Ends all that a revocation applies to. `at` is its time, for news that arrive late. It is null for news that arrive
 * at once.
 */
export function endRevoked(guard: GuardState, target: RevocationTarget, at: number | null = null): void {
  const news = { target, at }
  guard.context.lookups.renew()
  attemptQuietly(() => guard.policy.handshake.session?.forget?.())
  for (const connection of guard.live) {
    if (isMeant(news, connection.session) && isOlder(news, connection.enteredAt)) {
      end(connection, { kind: 'revoked', denial: REVOKED })
    }
  }
  for (const connection of guard.lingering) {
    if (isMeant(news, connection.session)) end(connection, { kind: 'revoked', denial: REVOKED })
  }
  guard.entering.note(news)
}

/** The latest expiry among the open connections that a revocation applies to. 0 if none is known. */
function latestExpiry({ live }: GuardState, target: RevocationTarget): number {
  let latest = 0
  for (const { session } of live) {
    if (session.expiresAt !== undefined && session.expiresAt > latest && isMeant({ target, at: null }, session)) {
      latest = session.expiresAt
    }
  }
  return latest
}

/** Subscribes to revocations and to the state of the store. */
export function subscribe(guard: GuardState): void {
  const { store, observer } = guard
  guard.shared.listen()
  guard.subscriptions = [
    guard.marks === null ? () => undefined : store.onRevoked((target, at) => endRevoked(guard, target, at)),
    store.onState?.(state => {
      observer.storeState(state)
      if (state.state === 'lost') endSpread(guard, state.endsWithinMs ?? LOST_WITHIN_MS)
    }) ?? (() => undefined),
  ]
}

/**
 * Ends the open connections one after the other. Otherwise all clients would return at once to a store that has just
 * come back.
 */
function endSpread({ live, keeper, runtime }: GuardState, withinMs: number): void {
  const from = runtime.now()
  for (const connection of live) {
    if (connection.lostAt !== 0) continue
    connection.lostAt = from + connection.spread * withinMs
    keeper.touch(connection)
  }
}
