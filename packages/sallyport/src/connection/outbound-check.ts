import { deny } from '../model/verdict.ts'
import type { ConnectionState } from './state.ts'

/** The message as `message/outbound` lets it leave; null when it is kept. */
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
 * Whether bytes that no schema describes may leave: a close reason, the payload of a ping or a pong. Where
 * `message.outbound` is declared they may not, and an event says so.
 */
export function mayLeave(connection: ConnectionState, what: 'close reason' | 'ping' | 'pong', bytes: number): boolean {
  const { services } = connection
  if (bytes === 0 || services.outbound === null) return true
  const enforced = services.enforced('message/outbound')
  const fault = `a ${what} bears ${bytes} bytes that no schema describes; send a declared message instead`
  services.denied('message/outbound', deny('SALLY_OUTBOUND_INVALID', { fault }), enforced, connection)
  return !enforced
}
