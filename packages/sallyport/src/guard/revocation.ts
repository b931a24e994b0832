import { end } from '../connection/ending.ts'
import type { RevocationTarget } from '../model/store.ts'
import { type Denial, deny } from '../model/verdict.ts'
import { isMeant, isOlder } from './entering.ts'
import { attemptQuietly, type GuardState } from './guard-state.ts'
import { readTarget } from './revocation-target.ts'

/** Open connections end within this time once a store is lost that names none, in ms. */
const LOST_WITHIN_MS = 5000

/** The denial of a connection whose right the operator revoked. */
export const REVOKED: Denial = deny('SALLY_LIFETIME_REVOKED')

/** See `Guard.revoke`. Throws a `TypeError` for what names nobody. */
export async function revoke(guard: GuardState, given: unknown): Promise<void> {
  const { target, expiresAt } = readTarget(given)
  guard.observer.revoked(target)
  const ttlMs = guard.remembered.ttlMs(target, expiresAt, latestExpiry(guard, target))
  // Here at once, whatever becomes of the store; the caller learns if other nodes were not reached.
  endRevoked(guard, target)
  if (guard.marks === null) {
    guard.shared.store.revoke(target, ttlMs)
    return
  }
  // The other guards of its name in this process, and this one while its store is away.
  attemptQuietly(() => guard.shared.store.revoke(target, ttlMs))
  await guard.store.revoke(target, ttlMs)
}

/** Ends what a revocation means. `at`: when it was made, for news that come late; null for news that come at once. */
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

/** The latest expiry among the open connections that a revocation means; 0 where none is known. */
function latestExpiry({ live }: GuardState, target: RevocationTarget): number {
  let latest = 0
  for (const { session } of live) {
    if (session.expiresAt !== undefined && session.expiresAt > latest && isMeant({ target, at: null }, session)) {
      latest = session.expiresAt
    }
  }
  return latest
}

/** Hears of revocations from now on, and of the state of the store. */
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

/** Ends the open connections one after the other: a crowd that comes back at once finds a store that has just come back. */
function endSpread({ live, keeper, runtime }: GuardState, withinMs: number): void {
  const from = runtime.now()
  for (const connection of live) {
    if (connection.lostAt !== 0) continue
    connection.lostAt = from + connection.spread * withinMs
    keeper.touch(connection)
  }
}
