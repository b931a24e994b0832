import { HARD_FACTOR } from '../controls/lifetime/backpressure.ts'
import { type Code, deny } from '../model/verdict.ts'
import { end } from './ending.ts'
import { FLAG, HOLD, withSent } from './flags.ts'
import { checkOutbound } from './outbound-check.ts'
import { textOf, unsent } from './outbound-text.ts'
import { type ConnectionState, isOpen } from './state.ts'
import { dropOutgoing } from './waiting.ts'

/** See `Connection.send`. */
export function send(connection: ConnectionState, message: object | string): boolean {
  if (connection.readyState >= 2) return false
  const checked = checkOutbound(connection, message)
  if (checked === null || checked === undefined) return unsent(message)
  if (connection.readyState === 1 && !isRaw(checked)) {
    const bytes = connection.transport.sendJson?.(checked) ?? -1
    if (bytes >= 0) {
      noteSent(connection, bytes)
      return true
    }
  }
  const { policy } = connection.services
  const ready = isRaw(checked) ? checked : textOf(checked, policy.message.format?.bigIntegers)
  if (connection.readyState !== 0) return transmit(connection, ready)
  return queueUntilProven(connection, ready)
}

function queueUntilProven(connection: ConnectionState, message: string | Uint8Array): boolean {
  const bytes = typeof message === 'string' ? Buffer.byteLength(message) : message.byteLength
  const rare = connection.ownRare()
  if (rare.outgoingBytes + bytes > connection.services.policy.lifetime.backpressure.bytes) return false
  rare.outgoing ??= []
  rare.outgoing.push(message)
  rare.outgoingBytes += bytes
  return true
}

/** Sends, in order, the messages that the app sent before the authentication. */
export function sendQueued(connection: ConnectionState): void {
  const { outgoing } = connection.rare
  dropOutgoing(connection)
  for (const message of outgoing ?? []) transmit(connection, message)
}

/** Sends text or bytes that were checked. Returns false if the connection is not open. */
function transmit(connection: ConnectionState, message: string | Uint8Array): boolean {
  if (connection.readyState !== 1) return false
  if (typeof message === 'string') connection.transport.sendText(message)
  else connection.transport.sendBinary(message)
  noteSent(connection, message.length)
  return true
}

/** Tells the peer that its message was refused, or that its handler failed. */
export function replyError(connection: ConnectionState, code: Code): void {
  transmit(connection, JSON.stringify({ [connection.services.policy.message.discriminator]: 'error', code }))
}

/** Counts bytes that were sent, with `send` or without. Holds messages back if the peer does not read. */
export function noteSent(connection: ConnectionState, bytes: number, messages = 1): void {
  const { services, transport } = connection
  // A reply uses the time of its message, because reading the clock costs as much as a control.
  const now = (connection.flags & FLAG.judging) !== 0 ? connection.judgedAt : services.now()
  connection.flags = withSent(connection.flags, bytes)
  connection.lastMessageAt = now
  services.sent(bytes, messages)
  const bound = services.policy.lifetime.backpressure.bytes
  const { bufferedAmount } = transport
  if (bufferedAmount <= bound || connection.readyState !== 1) return
  // Only the bytes before this message count. The app decides how long a message is. The peer decides how much waits.
  if (bufferedAmount - bytes > HARD_FACTOR * bound) {
    const denial = deny('SALLY_BACKPRESSURE', { reason: 'full', bytes: HARD_FACTOR * bound })
    end(connection, { kind: 'denied', denial })
    if (!isOpen(connection)) {
      // A close frame would wait behind all the bytes that the peer does not read.
      transport.terminate()
      return
    }
  }
  if (connection.slowSince !== 0) return
  connection.slowSince = now
  connection.slowLookAt = now
  if (services.enforced('lifetime/backpressure')) connection.flags |= HOLD.slow
  services.touch(connection)
}

/** Whether the message is sent unchanged and not serialised. */
function isRaw(message: object | string): message is string | Uint8Array {
  return typeof message === 'string' || message instanceof Uint8Array
}
