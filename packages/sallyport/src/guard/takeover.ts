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
 * Takes an open connection over from another guard: it is judged by this policy from now on. It ends where this handshake
 * door refuses it (rate and ticket are not asked again), or finds another session or user. Where the door cannot tell,
 * because a look-up or a store fails, it lives on for `lifetime.session.grace`, counted from the last yes under any guard.
 */
export function adopt(guard: GuardState, services: Services, connection: ConnectionState): void {
  const { id, ticket, subprotocol, origin } = connection.attempt
  const { request, session } = connection
  // Its session was found once: it waits among those who are known.
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

/** Puts a connection under another guard's policy; messages from now on are judged by that. */
function move(connection: ConnectionState, services: Services, attempt: Attempt): void {
  // A store that was lost ends what it counts; another one does not know of it.
  if (connection.services.store !== services.store && connection.lostAt !== 0) connection.lostAt = 0
  connection.services.surrender(connection, attempt, services.store)
  connection.services = services
  connection.attempt = attempt
  connection.reported = 0
  // The last yes stays what it is: a reload renews no right.
  connection.checking = false
  connection.flag(FLAG.unjudged, true)
  if (connection.uncheckedSince === 0) connection.uncheckedSince = services.now()
  connection.transport.limit(messageBytes(connection))
}

/** Forgets a connection that another guard takes over; `to` is the store of that guard. */
export function surrender(guard: GuardState, connection: ConnectionState, heir: Attempt, to: Store): void {
  guard.live.delete(connection)
  guard.keeper.forget(connection)
  // Given back and taken again, a slot would be free while the other door asks.
  if (to === guard.store) bequeath(connection.attempt, heir)
  else releaseAttempt(guard, connection.attempt)
  unsubscribeIfDone(guard)
  guard.observer.surrendered()
  resolveIfDrained(guard)
}
