import { denialRow } from '../policy/denials.ts'
import { type ControlId, type Denial } from '../model/verdict.ts'
import { ABNORMAL } from '../wire/index.ts'
import { violationOf } from './violation.ts'
import { tellAppClosed } from './app-calls.ts'
import { CLOSE_PATIENCE_MS } from '../wire/close.ts'
import { checkClose } from './close-frame.ts'
import { mayLeave } from './outbound-check.ts'
import { dropRead } from './reading.ts'
import type { ConnectionState } from './state.ts'
import { dropOutgoing, dropWaiting, hasLastMessages, lingers } from './waiting.ts'

/**
 * Longest time, in ms, that messages from before the peer's close frame may wait for a verdict or for a handler to end.
 */
const LAST_MESSAGES_MS = 500

/** Why a connection ends. */
export type EndReason =
  /**
   * A control denies it (a drain is `lifetime/shutdown`). If the control is in report mode, the connection stays open
   * and one event reports it.
   */
  | { readonly kind: 'denied'; readonly denial: Denial; readonly control?: ControlId }
  /** It holds too much of the guard's memory. It ends in report mode too. */
  | { readonly kind: 'bound'; readonly denial: Denial; readonly closeCode: number }
  /** The message door refused a message, and the refusal ends the connection. The door has reported it. */
  | { readonly kind: 'refused'; readonly denial: Denial; readonly closeCode: number }
  /** The handshake door was asked again and refused. The door has reported it. */
  | { readonly kind: 'standing'; readonly denial: Denial }
  /** The operator revoked its right. It ends in report mode too. */
  | { readonly kind: 'revoked'; readonly denial: Denial }
  /** The app closes it. Throws for a code or a reason that may not be sent. */
  | { readonly kind: 'closed'; readonly closeCode: number; readonly reason: string }
  /** The app or the keeper cuts it without a close frame. */
  | { readonly kind: 'cut' }
  /** The peer sent a close frame. */
  | { readonly kind: 'peer' }
  /** The peer broke the protocol or a bound of the wire. The transport closes by itself with this code. */
  | { readonly kind: 'violation'; readonly closeCode: number; readonly detail: string }
  /** The transport is gone. The code is the received one, or 1006. */
  | { readonly kind: 'gone'; readonly closeCode: number }

/**
 * Ends a connection. Does nothing if it has ended already. Afterwards no message passes, and each end is reported once.
 */
export function end(connection: ConnectionState, reason: EndReason): void {
  switch (reason.kind) {
    case 'denied':
      deniedBy(connection, reason.denial, reason.control ?? denialRow(reason.denial.code).control)
      break
    case 'bound':
      if (connection.rare.closedWith !== 0) endLastMessages(connection)
      shut(connection, reason.denial, reason.closeCode, denialRow(reason.denial.code).control)
      break
    case 'refused':
      shut(connection, reason.denial, reason.closeCode, null)
      break
    case 'standing':
      shut(connection, reason.denial, standingCode(reason.denial), null)
      break
    case 'revoked': {
      const row = denialRow(reason.denial.code)
      if (connection.readyState >= 2) endLastMessages(connection)
      else shut(connection, reason.denial, row.close ?? 1008, row.control)
      break
    }
    case 'closed':
      closedByApp(connection, reason.closeCode, reason.reason)
      break
    case 'cut':
      if (connection.readyState === 3) return
      leave(connection, connection.rare.denial)
      connection.transport.terminate()
      break
    case 'peer':
      if (connection.readyState >= 2 || hasLastMessages(connection)) return
      leave(connection, null)
      connection.rare.abort?.abort()
      break
    case 'violation':
      broken(connection, violationOf(reason.closeCode, reason.detail))
      break
    case 'gone':
      gone(connection, reason.closeCode)
      break
  }
}

function deniedBy(connection: ConnectionState, denial: Denial, control: ControlId): void {
  if (connection.readyState >= 2) return
  if (connection.services.enforced(control)) shut(connection, denial, denialRow(denial.code).close ?? 1008, control)
  else reportOnce(connection, control, denial)
}

/** In report mode, reports what a control would do to a connection, once for each code. */
export function reportOnce(connection: ConnectionState, control: ControlId, denial: Denial): void {
  const reported = (connection.ownRare().reportedCodes ??= new Set())
  if (reported.has(denial.code)) return
  reported.add(denial.code)
  connection.services.denied(control, denial, false, connection)
}

/** Stops all traffic. Runs before anything is reported, because a listener may call back into the connection. */
function leave(connection: ConnectionState, denial: Denial | null): void {
  if (denial !== connection.rare.denial) connection.ownRare().denial = denial
  connection.readyState = 2
  dropWaiting(connection)
  dropOutgoing(connection)
  dropRead(connection)
}

/**
 * Ends the connection in report mode too. `control` is the control that the event names. Null if an event was emitted
 * already.
 */
function shut(connection: ConnectionState, denial: Denial, closeCode: number, control: ControlId | null): void {
  if (connection.readyState >= 2) return
  leave(connection, denial)
  if (control !== null) connection.services.denied(control, denial, true, connection)
  if (denialRow(denial.code).action === 'terminate' || closeCode === ABNORMAL) connection.transport.terminate()
  else startClose(connection, closeCode, denial.code)
  connection.rare.abort?.abort()
}

function closedByApp(connection: ConnectionState, closeCode: number, reason: string): void {
  checkClose(closeCode, reason)
  if (connection.readyState >= 2) return
  const left = mayLeave(connection, 'close reason', reason.length) ? reason : ''
  leave(connection, null)
  startClose(connection, closeCode, left)
}

function startClose(connection: ConnectionState, closeCode: number, reason: string): void {
  connection.transport.close(closeCode, reason)
  connection.transport.resume()
  cutLater(connection)
}

function broken(connection: ConnectionState, denial: Denial): void {
  if (connection.readyState >= 2) return
  leave(connection, denial)
  connection.services.denied(denialRow(denial.code).control, denial, true, connection)
  cutLater(connection)
  connection.rare.abort?.abort()
}

function cutLater(connection: ConnectionState): void {
  if (connection.readyState === 3) return
  connection.ownRare().cutAt = connection.services.now() + CLOSE_PATIENCE_MS
  connection.services.touch(connection)
}

function gone(connection: ConnectionState, closeCode: number): void {
  if (connection.readyState === 3 || connection.rare.closedWith !== 0) return
  const lasts = closeCode !== ABNORMAL && hasLastMessages(connection)
  connection.readyState = lasts ? 2 : 3
  dropOutgoing(connection)
  if (lasts) {
    connection.ownRare().closedWith = closeCode
    connection.services.setTimeout(endLastMessages, LAST_MESSAGES_MS, connection).unref()
  } else {
    dropWaiting(connection)
    dropRead(connection)
  }
  connection.services.ended(connection, closeCode)
  if (lasts) return
  connection.rare.abort?.abort()
  tellAppClosed(connection, closeCode)
}

/**
 * Calls `over` when the app may learn of the end: at once, or after the messages that came before the end are handled.
 */
export function onceOver(connection: ConnectionState, over: () => void): void {
  if (lingers(connection)) connection.ownRare().over = over
  else over()
}

/** The messages from before the peer's close frame are handled, or have waited too long. Tells the app of the end. */
export function endLastMessages(connection: ConnectionState): void {
  const { closedWith, over } = connection.rare
  if (closedWith === 0 || connection.readyState === 3) return
  connection.readyState = 3
  dropWaiting(connection)
  dropRead(connection)
  connection.services.over(connection)
  // Not earlier: a handler that starts now would get a signal that is already aborted.
  connection.rare.abort?.abort()
  tellAppClosed(connection, closedWith)
  over?.()
}

/** The close code for a denial of the handshake door. Most of its denial rows have only an HTTP status. */
function standingCode({ code }: Denial): number {
  const { close, http } = denialRow(code)
  return close ?? (http === 401 ? 4401 : http === 503 || http === 429 ? 1013 : 1008)
}
