import { messageBytes } from '../connection/first-message.ts'
import { FLAG } from '../connection/flags.ts'
import type { ConnectionState, Services } from '../connection/state.ts'
import { type Attempt, bequeath, newAttempt } from '../model/attempt.ts'
import type { Store } from '../model/store.ts'
import { resolveIfDrained, unsubscribeIfDone } from './drain.ts'
import type { GuardState } from './guard-state.ts'
import { subscribe } from './revocation.ts'
import { giveUpNarrowed, releaseAttempt } from './slots.ts'

/**
 * Takes an open connection over from another guard. This policy judges it from now on. The connection ends if this
 * handshake door refuses it (rate and ticket are not checked again), or finds another session or user. If the door
 * cannot decide because a look-up or a store fails, the connection stays open for `lifetime.session.grace`. That time
 * counts from its last successful check under any guard.
 */
export function adopt(guard: GuardState, services: Services, connection: ConnectionState): void {
  const { id, ticket, subprotocol, origin } = connection.attempt
  const { request, session } = connection
  // Its session was found before, so it waits among the known users.
  const attempt: Attempt = { ...newAttempt(id, request), ticket, subprotocol, origin, session, standing: 'proven' }
  if (guard.subscriptions.length === 0) subscribe(guard)
  move(connection, services, attempt)
  giveUpNarrowed(guard, attempt)
  if (guard.draining !== null) connection.leaveAt = guard.runtime.now()
  guard.live.add(connection)
  guard.keeper.touch(connection)
  guard.observer.adopted(connection)
  connection.recheck()
}

/** Puts a connection under another guard's policy, which judges its messages from now on. */
function move(connection: ConnectionState, services: Services, attempt: Attempt): void {
  // A lost store ends the connections that it counts. The new store does not count this one yet.
  if (connection.services.store !== services.store && connection.lostAt !== 0) connection.lostAt = 0
  connection.services.surrender(connection, attempt, services.store)
  connection.services = services
  connection.attempt = attempt
  connection.reported = 0
  // The time of the last successful check stays: a reload renews no right.
  connection.checking = false
  connection.flag(FLAG.unjudged, true)
  if (connection.uncheckedSince === 0) connection.uncheckedSince = services.now()
  connection.transport.limit(messageBytes(connection))
}

/** Forgets a connection that another guard takes over. `to` is the store of that guard. */
export function surrender(guard: GuardState, connection: ConnectionState, heir: Attempt, to: Store): void {
  guard.live.delete(connection)
  guard.keeper.forget(connection)
  // The heir takes the slots over directly. If they were given back first, another client could take them while the new
  // door decides.
  if (to === guard.store) bequeath(connection.attempt, heir)
  else releaseAttempt(guard, connection.attempt)
  unsubscribeIfDone(guard)
  guard.observer.surrendered()
  resolveIfDrained(guard)
}
