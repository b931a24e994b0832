import { end } from './ending.ts'
import { HOLD } from './flags.ts'
import { release } from './inbound.ts'
import { LOOK_MS } from './reading.ts'
import type { ConnectionState } from './state.ts'

/* The actions at the deadlines of a connection. The keeper calls them. The deadlines themselves are in the record. */

/** Interval, in ms, of the unasked pongs to a connection that is not read. A pong needs no answer. */
const SIGN_MS = 1_000

/** A delay of `message/rate` is over. */
export function undelay(connection: ConnectionState): void {
  connection.ownRare().delayedUntil = 0
  release(connection, HOLD.delayed)
}

/** The peer reads again. */
export function caughtUp(connection: ConnectionState): void {
  release(connection, HOLD.slow)
}

/**
 * Corrects times that lie in the future, because the system clock was set back. Otherwise such a time would keep a
 * right alive, or put off the next check.
 */
export function clockIs(connection: ConnectionState, now: number): void {
  if (connection.checkedAt <= now) return
  connection.checkedAt = now
  if (connection.uncheckedSince > now) connection.uncheckedSince = now
  if (connection.retryAt > now) connection.retryAt = now
}

/** Ends the connection if the peer is gone. A socket that is not read shows neither a reset nor an end. */
export function lookUnread(connection: ConnectionState): void {
  const { services, transport } = connection
  connection.ownRare().unreadLookAt = services.now() + LOOK_MS
  if (transport.isReset?.() === true) {
    end(connection, { kind: 'cut' })
    return
  }
  // Queued bytes reveal a dead peer without a pong. Before the authentication nothing may be sent.
  if (connection.readyState !== 1 || transport.bufferedAmount > 0) return
  // The end of a peer is hidden behind the bytes that it sent before. If the peer is gone, its system answers this pong
  // with a reset.
  const unread = services.now() - connection.rare.pausedSince - LOOK_MS
  if (unread % SIGN_MS < LOOK_MS) transport.pong?.()
}
