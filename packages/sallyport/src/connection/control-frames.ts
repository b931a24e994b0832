import { end } from './ending.ts'
import { FLAG, withPing } from './flags.ts'
import type { ConnectionState } from './state.ts'

/** Whether nothing may leave yet: the peer has not proven itself by its first message. */
export function isSilent({ readyState, services }: ConnectionState): boolean {
  return readyState === 0 && services.enforced('handshake/ticket')
}

/** Pings the peer. */
export function ping(connection: ConnectionState): void {
  connection.flags = withPing(connection.flags)
  // Before the proof the deadline of `lifetime/authentication` bounds the wait.
  if (isSilent(connection) && connection.services.policy.lifetime.authentication !== null)
    connection.pongAwaited = false
  else if (connection.readyState < 2) connection.transport.ping()
}

/** A ping of the peer came; the transport answers it. */
export function pinged(connection: ConnectionState): void {
  if (connection.readyState < 2) countControlFrame(connection)
}

/** A pong of the peer came. */
export function ponged(connection: ConnectionState): void {
  if (connection.readyState >= 2) return
  if (!connection.pongAwaited) {
    countControlFrame(connection)
    return
  }
  connection.flags &= ~(FLAG.pongAwaited | FLAG.sentMuchBeforePing)
  if (connection.pongLookAt === 0) return
  connection.pongLookAt = 0
  connection.services.touch(connection)
}

function countControlFrame(connection: ConnectionState): void {
  const denial = connection.services.controlFrame(connection)
  if (!denial.pass) end(connection, { kind: 'denied', denial })
}
