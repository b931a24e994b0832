import type { MessageSubject } from '../controls/message/message-control.ts'
import { Backlog } from './backlog.ts'
import { HOLD, isHeldByWork } from './flags.ts'
import { readAhead, WAITING_BYTES } from './read-ahead.ts'
import { stopReading } from './reading.ts'
import type { ConnectionState } from './state.ts'

/** Puts a message behind all others that wait to be judged. */
export function putInLine(connection: ConnectionState, subject: MessageSubject): Backlog {
  const backlog = (connection.ownRare().backlog ??= new Backlog())
  subject.keep?.()
  backlog.push(subject)
  addWaiting(connection, subject.bytes)
  return backlog
}

/** Takes the message that has waited longest. Undefined when none waits. */
export function takeNext(connection: ConnectionState): MessageSubject | undefined {
  const subject = connection.rare.backlog?.shift()
  if (subject !== undefined) endWaiting(connection, subject.bytes)
  return subject
}

/** The message keeps its place and is judged again in `ms`. */
export function delay(connection: ConnectionState, subject: MessageSubject, ms: number): void {
  const { services } = connection
  const rare = connection.ownRare()
  rare.delayedUntil = services.now() + ms
  rare.backlog ??= new Backlog()
  subject.keep?.()
  // Another policy may judge it then, and may accept another value.
  subject.exact = false
  subject.altered = false
  subject.digits = false
  rare.backlog.putBack(subject)
  addWaiting(connection, subject.bytes)
  connection.flags |= HOLD.delayed
  services.touch(connection)
}

function addWaiting(connection: ConnectionState, bytes: number): void {
  const isFirst = connection.rare.aheadBytes === 0
  readAhead.add(connection, bytes + WAITING_BYTES)
  if (connection.readyState >= 2) return
  if (!readAhead.mayRead(connection)) stopReading(connection)
  else if (isFirst) connection.transport.readLess?.(true)
}

function endWaiting(connection: ConnectionState, bytes: number): void {
  readAhead.add(connection, -bytes - WAITING_BYTES)
}

/** Drops the messages that wait to be judged. */
export function dropWaiting(connection: ConnectionState): void {
  const { backlog } = connection.rare
  if (backlog === null) return
  for (let left = backlog.shift(); left !== undefined; left = backlog.shift()) endWaiting(connection, left.bytes)
  connection.ownRare().backlog = null
}

/** Drops the messages that the app sent before the authentication. */
export function dropOutgoing(connection: ConnectionState): void {
  if (connection.rare.outgoing === null) return
  const rare = connection.ownRare()
  rare.outgoing = null
  rare.outgoingBytes = 0
}

/**
 * Whether messages wait only for a verdict or for a handler to end. An honest client may send and close at once. Such
 * messages are still handled for a short time after its close frame.
 */
export function hasLastMessages({ readyState, flags, rare }: ConnectionState): boolean {
  if (readyState !== 1 || !isHeldByWork(flags)) return false
  return (flags & HOLD.judged) !== 0 || ((flags & HOLD.full) !== 0 && rare.backlog !== null)
}

/** Whether the connection has ended while messages from before the peer's close frame are still handled. */
export function lingers({ readyState, rare }: ConnectionState): boolean {
  return rare.closedWith !== 0 && readyState === 2
}
