import { end } from './ending.ts'
import { FLAG, withPing } from './flags.ts'
import type { ConnectionState } from './state.ts'

/** Whether nothing may be sent yet, because the peer has not sent a valid first message. */
export function isSilent({ readyState, services }: ConnectionState): boolean {
  return readyState === 0 && services.enforced('handshake/ticket')
}

/** Pings the peer. */
export function ping(connection: ConnectionState): void {
  connection.flags = withPing(connection.flags)
  // Until the authentication, the deadline of `lifetime/authentication` bounds the wait. A ping is not needed.
  if (isSilent(connection) && connection.services.policy.lifetime.authentication !== null)
    connection.pongAwaited = false
  else if (connection.readyState < 2) connection.transport.ping()
}

/** The peer sent a ping. The transport answers it. */
export function pinged(connection: ConnectionState): void {
  if (connection.readyState < 2) countControlFrame(connection)
}

/** The peer sent a pong. */
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
