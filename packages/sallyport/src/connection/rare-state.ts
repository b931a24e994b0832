import type { Concurrency } from '../controls/message/concurrency.ts'
import type { RateNeeds } from '../controls/message/message-control.ts'
import type { DenialCode } from '../model/denials.ts'
import type { Denial } from '../model/verdict.ts'
import type { Backlog } from './backlog.ts'

/** What most connections never come to: one that does has a record of its own, the others share an empty one. */
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
  /** Since when the socket is not read. */
  pausedSince = 0
  /** When such a socket is looked at next. */
  unreadLookAt = 0
  /** What was read and is not handled: all of it, and the part that the transport keeps; and who shares the bound. */
  aheadBytes = 0
  keptBytes = 0
  aheadKey = ''
  /** The peer's close code, while messages that came before its close frame are judged; else 0. */
  closedWith = 0
  /** Who is told once they are. */
  over: (() => void) | null = null
  /** Tasks that were handed to `background` and run. */
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
  /** Messages that were read and wait while something holds. */
  backlog: Backlog | null = null
  /** What is sent once the connection is authenticated. */
  outgoing: (string | Uint8Array)[] | null = null
  outgoingBytes = 0
  abort: AbortController | null = null
  concurrency: Concurrency | null = null
  /** What report mode has already said of this connection: once is enough. */
  reportedCodes: Set<DenialCode> | null = null
  /** Messages that have gone on in report mode and are still judged. */
  reporting = 0
  /** The budgets that its messages would have needed, in report mode. */
  rateNeeds: RateNeeds | null = null
  strikes = 0
  strikesSince = 0
}

/** Frozen: whoever would write into what all share is stopped. */
export const NOTHING_RARE: RareState = Object.freeze(new RareState())
