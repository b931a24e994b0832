import { deny } from '../model/verdict.ts'
import type { ConnectionState } from './state.ts'

/** The message that `message/outbound` lets leave. Null when it is refused. */
export function checkOutbound(
  connection: ConnectionState,
  message: object | string,
): object | string | null | undefined {
  const { services } = connection
  const { outbound } = services
  if (outbound === null) return message
  if (message === null || message === undefined) return message
  const result = outbound(message)
  if (result.ok) return result.value
  const enforced = services.enforced('message/outbound')
  services.denied('message/outbound', deny('SALLY_OUTBOUND_INVALID', { fault: result.detail }), enforced, connection)
  return enforced || connection.readyState >= 2 ? null : result.given
}

/**
 * Whether bytes that no schema describes may leave: a close reason, or the payload of a ping or a pong. If
 * `message.outbound` is declared they may not, and an event reports it.
 */
export function mayLeave(connection: ConnectionState, what: 'close reason' | 'ping' | 'pong', bytes: number): boolean {
  const { services } = connection
  if (bytes === 0 || services.outbound === null) return true
  const enforced = services.enforced('message/outbound')
  const fault = `a ${what} carries ${bytes} bytes that no schema describes; send a declared message instead`
  services.denied('message/outbound', deny('SALLY_OUTBOUND_INVALID', { fault }), enforced, connection)
  return !enforced
}
