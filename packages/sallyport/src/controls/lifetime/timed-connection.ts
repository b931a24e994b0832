import type { KernelQueue } from '../../model/kernel-queue.ts'
import type { Verdict } from '../../model/verdict.ts'
import type { Session } from '../../model/session.ts'

/** What the keeper sees of an open connection. Times are ms since the epoch; 0 is "not so". */
export interface TimedConnection {
  readonly openedAt: number
  readonly session: Session
  readonly authenticated: boolean
  /** Last message in either direction. */
  readonly lastMessageAt: number
  readonly bufferedAmount: number
  /** When the last ping went out, and whether its pong is still awaited. */
  pingedAt: number
  pongAwaited: boolean
  /** Whether a frame is under way: no pong can come before its end. */
  readonly midFrame: boolean
  /** Bytes that the peer has sent in all. */
  readonly bytesRead: number
  /** When a pong behind a frame is looked for next, and how many bytes had come when it last was. */
  frameLookAt: number
  frameBytes: number
  /** False while its socket is paused: what the peer sends, pongs too, waits in the kernel then. */
  readonly reading: boolean
  /** When its right was last confirmed: the last yes. A reload does not change it. */
  checkedAt: number
  /** Since when nobody can tell whether it still holds; from then on it is asked for again at `retryAt`. */
  uncheckedSince: number
  retryAt: number
  /** Look-ups that failed one after the other. */
  readonly failures: number
  checking: boolean
  /** It came under another policy, whose handshake door has not said yes to it. */
  readonly unjudged: boolean
  /** When it ends because its store was lost. */
  lostAt: number
  /** From 0 to 1, the same each time: connections that opened together end one after the other. */
  readonly spread: number
  /** Whether a message is being judged or handled. */
  readonly handling: boolean
  /** Since when more than the bound is queued for the peer. */
  slowSince: number
  /** When a slow reader is looked at next. */
  slowLookAt: number
  /** When it must have taken enough. */
  slowUntil: number
  /** Bytes that a slow reader had taken when its time began; of what is queued here, as seen since the last look. */
  slowTaken: number
  slowBuffered: number
  /** Whether 16 KiB or more were sent before the last ping that no pong has shown to be read. */
  readonly isBehindMessages: boolean
  /** Until when a pong is waited for behind what was sent before its ping; 0 while it is not late. */
  pongUntil: number
  /** When a late pong is looked for next. */
  pongLookAt: number
  /** How often the kernel's queue had changed when it was last looked at. */
  pongChanges: number
  /** What the kernel still holds for the peer; null where nobody can tell. From the first call on it is watched. */
  kernelQueue(): KernelQueue | null
  /** When a draining server lets this connection go. */
  leaveAt: number
  /** Until when it may finish what it handles. */
  readonly leaveBy: number
  ping(): void
  /** The peer reads again. */
  caughtUp(): void
  /** Looks the session up again; the answer arrives by itself. */
  recheck(): void
}

/** A compiled lifetime control. */
export interface LifetimeCheck {
  /** When it must next be looked at; `Infinity` for never. Cheap: it is asked for every connection that is due. */
  due(connection: TimedConnection): number
  /** Called once that time has come. */
  look(connection: TimedConnection, now: number): Verdict
}
