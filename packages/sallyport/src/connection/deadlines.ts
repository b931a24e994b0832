import { end } from './ending.ts'
import { HOLD } from './flags.ts'
import { release } from './inbound.ts'
import { LOOK_MS } from './reading.ts'
import type { ConnectionState } from './state.ts'

/*
 * What is done with a connection when one of its times has come. The keeper calls it; when the times are stands in the record.
 */

/** How often a connection that is not read is sent a sign that asks for no answer, in ms. */
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

/** The clock may have been set back: a time that lies ahead must not keep a right alive, nor a question waiting. */
export function clockIs(connection: ConnectionState, now: number): void {
  if (connection.checkedAt <= now) return
  connection.checkedAt = now
  if (connection.uncheckedSince > now) connection.uncheckedSince = now
  if (connection.retryAt > now) connection.retryAt = now
}

/** Ends it where the peer is gone: neither a reset nor an end can be seen on a socket that is not read. */
export function lookUnread(connection: ConnectionState): void {
  const { services, transport } = connection
  connection.ownRare().unreadLookAt = services.now() + LOOK_MS
  if (transport.isReset?.() === true) {
    end(connection, { kind: 'cut' })
    return
  }
  // What was queued shows the end as well; and before the proof nothing may be sent.
  if (connection.readyState !== 1 || transport.bufferedAmount > 0) return
  // A peer that has ended is not seen behind what it sent: its system answers what we send with a reset.
  const unread = services.now() - connection.rare.pausedSince - LOOK_MS
  if (unread % SIGN_MS < LOOK_MS) transport.pong?.()
}
