import { FLAG } from './flags.ts'
import { readAhead } from './read-ahead.ts'
import type { ConnectionState } from './state.ts'

/*
 * A connection that is held back is still read, within bounds: pings are answered, and a close frame, an end or a reset is
 * seen at once. Beyond the bounds its socket is paused.
 */

/** How often a connection that is not read is looked at, in ms. */
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

/** Reads on where there is room again. `all`: nothing waits any more. */
export function readOn(connection: ConnectionState, all: boolean): void {
  if (all && connection.rare.aheadKey !== '') connection.transport.readLess?.(false)
  if (!connection.reading && (all || readAhead.mayRead(connection))) startReading(connection)
  if (!all || connection.rare.aheadKey === '' || connection.rare.aheadBytes > 0) return
  // Defaults again, so that the record of what is rare can be given up.
  const rare = connection.ownRare()
  rare.aheadKey = ''
  rare.pausedSince = 0
}

function startReading(connection: ConnectionState): void {
  connection.flags &= ~FLAG.paused
  connection.ownRare().unreadLookAt = 0
  noteKept(connection, 0)
  // While nothing was read, no pong could be seen and no byte of a frame: that time does not count against the peer.
  if (connection.pongAwaited) {
    const unread = connection.services.now() - Math.max(connection.rare.pausedSince, connection.pingedAt)
    connection.pingedAt += unread
    if (connection.frameLookAt !== 0) connection.frameLookAt += unread
  }
  connection.transport.resume()
}

/** The transport holds so many bytes that it has read and not handed on. */
export function noteKept(connection: ConnectionState, bytes: number): void {
  const more = bytes - connection.rare.keptBytes
  if (more === 0) return
  connection.ownRare().keptBytes = bytes
  readAhead.add(connection, more)
}

/** Nothing of what was read is held any more. */
export function dropRead(connection: ConnectionState): void {
  if (connection.rare.aheadBytes === 0) return
  readAhead.add(connection, -connection.rare.aheadBytes)
  connection.ownRare().keptBytes = 0
}
