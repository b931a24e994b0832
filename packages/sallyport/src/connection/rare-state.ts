import type { Concurrency } from '../controls/message/concurrency.ts'
import type { RateNeeds } from '../controls/message/message-control.ts'
import type { Code, Denial } from '../model/verdict.ts'
import type { Backlog } from './backlog.ts'

/**
 * The fields that most connections never use. A connection that uses one has its own record. All others share one
 * frozen record of defaults.
 */
export class RareState {
  denial: Denial | null = null
  unproven = false
  controlFrameTat = 0
  uncheckedSince = 0
  enteredAt = 0
  retryAt = 0
  failures = 0
  lostAt = 0
  leaveAt = 0
  leaveBy = 0
  cutAt = 0
  delayedUntil = 0
  /** When reading from the socket stopped, in ms since the epoch. 0 or a past value when it is read. */
  pausedSince = 0
  /** When the unread socket is checked next. */
  unreadLookAt = 0
  /**
   * Bytes that were read and are not handled yet, the part of them that the transport keeps, and the key of the bound's
   * group.
   */
  aheadBytes = 0
  keptBytes = 0
  aheadKey = ''
  /** The peer's close code while messages from before its close frame are still handled. Otherwise 0. */
  closedWith = 0
  /** Called when those messages are handled. */
  over: (() => void) | null = null
  /** Running tasks that were handed to `background`. */
  tasks = 0
  slowSince = 0
  slowLookAt = 0
  slowUntil = 0
  slowTaken = 0
  slowBuffered = 0
  pongUntil = 0
  pongLookAt = 0
  pongChanges = 0
  frameLookAt = 0
  frameBytes = 0
  /** Messages that were read and wait until nothing holds them back. */
  backlog: Backlog | null = null
  /** Messages of the app that are sent after the authentication. */
  outgoing: (string | Uint8Array)[] | null = null
  outgoingBytes = 0
  abort: AbortController | null = null
  concurrency: Concurrency | null = null
  /** The codes that report mode has already reported for this connection. Each is reported once. */
  reportedCodes: Set<Code> | null = null
  /** Messages that report mode has let pass and that are still being judged. */
  reporting = 0
  /** In report mode, the budgets that its messages would have needed. */
  rateNeeds: RateNeeds | null = null
  strikes = 0
  strikesSince = 0
}

/** Frozen, so that code that writes to the shared record throws. */
export const NOTHING_RARE: RareState = Object.freeze(new RareState())
