import { HARD_FACTOR } from '../controls/lifetime/backpressure.ts'
import { excessMs, spent } from '../controls/message/gcra.ts'
import { type Heartbeat, HEARTBEAT_BUDGET, HEARTBEAT_BYTES, heartbeatIn } from '../controls/message/heartbeat.ts'
import type { MessageSubject } from '../controls/message/message-control.ts'
import { Subject } from '../controls/message/subject.ts'
import { deny, PASS, type Verdict } from '../model/verdict.ts'
import { dispatch } from './dispatch.ts'
import { end, endLastMessages } from './ending.ts'
import { judgeFirst, messageBytes, settleFirst } from './first-message.ts'
import { FLAG, HOLD, isHeld } from './flags.ts'
import { readOn } from './reading.ts'
import { hasExpired } from './recheck.ts'
import { refuseMessage } from './refused-message.ts'
import type { ConnectionState } from './state.ts'
import { dropWaiting, lingers, putInLine, takeNext } from './waiting.ts'

/**
 * Most messages that may wait behind a message that is still judged, and most bytes beyond the bound of the policy. One
 * read of a transport can deliver this many.
 */
const BACKLOG_MOST = 16_384
const BACKLOG_BYTES = 65_536

/**
 * Most messages of one connection that report mode has let pass while slow controls still judge them. Further ones are
 * not judged.
 */
const REPORTING_MOST = 64

/** Takes one complete text message. */
export function receiveText(connection: ConnectionState, text: string, bytes: number): void {
  if (bytes <= HEARTBEAT_BYTES) {
    const heartbeat = connection.services.heartbeats.find(one => one.text === text)
    if (answersHeartbeat(connection, heartbeat)) return
  }
  receive(connection, new Subject(bytes, text, null))
}

/** Takes one complete text message as bytes. The caller may reuse the bytes after the call. */
export function receiveUtf8(
  connection: ConnectionState,
  bytes: Buffer,
  start: number,
  stop: number,
  ascii: boolean,
): void {
  if (stop - start <= HEARTBEAT_BYTES) {
    const heartbeat = heartbeatIn(connection.services.heartbeats, bytes, start, stop)
    if (answersHeartbeat(connection, heartbeat)) return
  }
  receive(connection, Subject.lent(bytes, start, stop, ascii))
}

/** Takes one complete binary message. */
export function receiveBinary(connection: ConnectionState, data: Uint8Array): void {
  // The transport may reuse its bytes. A message that waits, or is handled later, needs a copy.
  receive(connection, new Subject(data.byteLength, null, data.slice()))
}

/**
 * Answers a heartbeat. A heartbeat uses no message budget and does not count as activity: it changes neither
 * `lastMessageAt` nor a counter. Returns false for any other message, before authentication, over the heartbeat budget,
 * and while the peer has not read the last answer. The caller then treats the message like any other.
 */
function answersHeartbeat(connection: ConnectionState, heartbeat: Heartbeat | undefined): boolean {
  if (heartbeat === undefined || connection.readyState !== 1 || connection.rare.unproven) return false
  if (heartbeat.protocol !== null && heartbeat.protocol !== connection.attempt.subprotocol) return false
  const { transport } = connection
  if ((connection.flags & FLAG.replying) !== 0 && transport.bufferedAmount > 0) return false
  const now = connection.services.now()
  const tat = connection.openedAt + connection.heartbeatOffset
  if (excessMs(tat, now, 1, HEARTBEAT_BUDGET) > 0) return false
  if (hasExpired(connection, now)) return true
  connection.heartbeatOffset = Math.round(spent(tat, now, 1, HEARTBEAT_BUDGET) - connection.openedAt)
  transport.sendText(heartbeat.reply)
  connection.flag(FLAG.replying, transport.bufferedAmount > 0)
  return true
}

function receive(connection: ConnectionState, subject: MessageSubject): void {
  if (connection.readyState >= 2) return
  const { services } = connection
  const now = services.now()
  connection.lastMessageAt = now
  services.received(subject.bytes)
  if (isHeld(connection.flags) || connection.rare.backlog !== null) {
    const backlog = putInLine(connection, subject)
    boundWaiting(connection, backlog.size, backlog.bytes)
  } else judge(connection, subject, now)
}

/**
 * Ends the connection if more waits to be judged than one read of a transport can deliver. A transport that goes on
 * delivering after `pause` would avoid every bound, so this holds in report mode too.
 */
export function boundWaiting(connection: ConnectionState, messages: number, bytes: number): void {
  if (messages <= BACKLOG_MOST && bytes <= HARD_FACTOR * messageBytes(connection) + BACKLOG_BYTES) return
  const denial = deny('SALLY_MESSAGE_CONCURRENCY', { reason: 'held', messages, bytes })
  end(connection, { kind: 'bound', denial, closeCode: 1008 })
}

function judge(connection: ConnectionState, subject: MessageSubject, now: number): void {
  connection.judgedAt = now
  if (hasExpired(connection, now)) return
  if (connection.rare.reporting >= REPORTING_MOST) {
    settle(connection, subject, PASS)
    return
  }
  connection.flags |= FLAG.judging
  const verdict =
    connection.readyState !== 0
      ? connection.services.admitMessage(subject, connection)
      : judgeFirst(connection, subject)
  if (!(verdict instanceof Promise)) {
    settle(connection, subject, verdict)
    connection.flags &= ~FLAG.judging
    return
  }
  connection.flags &= ~FLAG.judging
  awaitVerdict(connection, subject, verdict)
}

/** A separate function, so that a message with an immediate verdict needs no closure. */
function awaitVerdict(connection: ConnectionState, subject: MessageSubject, verdict: Promise<Verdict>): void {
  subject.keep?.()
  if (connection.services.onlyReports && connection.delivery.takesBytes === true && connection.readyState === 1) {
    // No control can deny it, so it passes on at once, unchanged and in order. The controls judge it at the same time,
    // for the report.
    const rare = connection.ownRare()
    rare.reporting++
    void verdict.then(() => rare.reporting--)
    settle(connection, new Subject(subject.bytes, subject.text, subject.data), PASS)
    return
  }
  connection.flags |= HOLD.judged
  void verdict.then(later => {
    settle(connection, subject, later)
    release(connection, HOLD.judged)
  })
}

function settle(connection: ConnectionState, subject: MessageSubject, verdict: Verdict): void {
  if (connection.readyState >= 2) {
    if (verdict.pass && lingers(connection)) dispatch(connection, subject, releaseFull)
  } else if (connection.readyState === 0) {
    if (settleFirst(connection, verdict)) judge(connection, subject, connection.services.now())
  } else if (verdict.pass) dispatch(connection, subject, releaseFull)
  else refuseMessage(connection, subject, verdict)
}

/** The receiver of messages takes no more for now. Nothing is judged until `release`. */
export function hold(connection: ConnectionState): void {
  if (connection.readyState < 2) connection.flags |= HOLD.taken
}

/** One reason to hold messages is gone. Judges the waiting messages in order, and reads on when none waits. */
export function release(connection: ConnectionState, reason: number): void {
  if ((connection.flags & reason) === 0) return
  connection.flags &= ~reason
  if ((connection.flags & FLAG.takingUp) !== 0) return
  connection.flags |= FLAG.takingUp
  // Messages from before the peer's close frame are judged after it, too.
  while (!isHeld(connection.flags) && (connection.readyState < 2 || connection.rare.closedWith !== 0)) {
    const subject = takeNext(connection)
    if (subject === undefined) break
    judge(connection, subject, connection.services.now())
  }
  connection.flags &= ~FLAG.takingUp
  if (connection.readyState >= 2) {
    const waits = (connection.flags & HOLD.full) !== 0 && (connection.rare.backlog?.size ?? 0) > 0
    if (!waits && (connection.flags & HOLD.judged) === 0) endLastMessages(connection)
    return
  }
  const isFree = !isHeld(connection.flags)
  if (isFree) dropWaiting(connection)
  readOn(connection, isFree)
}

/** A handler has ended, so another one may run. */
function releaseFull(connection: ConnectionState): void {
  release(connection, HOLD.full)
}
