import { FLAG } from './flags.ts'
import { readAhead } from './read-ahead.ts'
import type { ConnectionState } from './state.ts'

/*
 * A connection that is held back is still read, within bounds. So pings are answered, and a close frame, an end or a
 * reset is noticed at once. Beyond the bounds its socket is paused.
 */

/** Interval, in ms, of the checks on a connection that is not read. */
export const LOOK_MS = 500

/** Stops reading from the socket. */
export function stopReading(connection: ConnectionState): void {
  if (!connection.reading) return
  const { services, transport } = connection
  const rare = connection.ownRare()
  rare.pausedSince = services.now()
  rare.unreadLookAt = rare.pausedSince + LOOK_MS
  connection.flags |= FLAG.paused
  transport.pause()
  services.touch(connection)
  noteKept(connection, transport.keptBytes ?? 0)
}

/** Reads on if there is room again. `all`: no message waits any more. */
export function readOn(connection: ConnectionState, all: boolean): void {
  if (all && connection.rare.aheadKey !== '') connection.transport.readLess?.(false)
  if (!connection.reading && (all || readAhead.mayRead(connection))) startReading(connection)
  if (!all || connection.rare.aheadKey === '' || connection.rare.aheadBytes > 0) return
  // Sets the defaults again, so that the record of rare fields can be given up.
  const rare = connection.ownRare()
  rare.aheadKey = ''
  rare.pausedSince = 0
}

function startReading(connection: ConnectionState): void {
  connection.flags &= ~FLAG.paused
  connection.ownRare().unreadLookAt = 0
  noteKept(connection, 0)
  // While the socket was paused, neither a pong nor a byte of a frame could be seen. That time does not count against
  // the peer.
  if (connection.pongAwaited) {
    const unread = connection.services.now() - Math.max(connection.rare.pausedSince, connection.pingedAt)
    connection.pingedAt += unread
    if (connection.frameLookAt !== 0) connection.frameLookAt += unread
  }
  connection.transport.resume()
}

/** The transport has read `bytes` that it has not delivered yet. */
export function noteKept(connection: ConnectionState, bytes: number): void {
  const more = bytes - connection.rare.keptBytes
  if (more === 0) return
  connection.ownRare().keptBytes = bytes
  readAhead.add(connection, more)
}

/** The connection no longer holds bytes that were read. */
export function dropRead(connection: ConnectionState): void {
  if (connection.rare.aheadBytes === 0) return
  readAhead.add(connection, -connection.rare.aheadBytes)
  connection.ownRare().keptBytes = 0
}
