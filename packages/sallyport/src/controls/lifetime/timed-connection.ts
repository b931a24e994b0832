import type { KernelQueue } from '../../model/kernel-queue.ts'
import type { Verdict } from '../../model/verdict.ts'
import type { Session } from '../../model/session.ts'

/** An open connection as the keeper sees it. Times are in ms since the epoch. 0 means "not set". */
export interface TimedConnection {
  readonly openedAt: number
  readonly session: Session
  readonly authenticated: boolean
  /** Time of the last message in either direction. */
  readonly lastMessageAt: number
  readonly bufferedAmount: number
  /** When the last ping was sent, and whether its pong is still awaited. */
  pingedAt: number
  pongAwaited: boolean
  /** Whether a frame has arrived in part. A pong cannot arrive before its end. */
  readonly midFrame: boolean
  /** Bytes that the peer has sent in all. */
  readonly bytesRead: number
  /** When to look next for a pong behind a frame, and how many bytes had arrived at the last look. */
  frameLookAt: number
  frameBytes: number
  /** False while its socket is paused. Then all that the peer sends waits in the kernel, pongs too. */
  readonly reading: boolean
  /** Time of the last successful check of its right. A reload does not change it. */
  checkedAt: number
  /** Since when its right is in doubt. It is checked again at `retryAt`. */
  uncheckedSince: number
  retryAt: number
  /** Number of failed look-ups in a row. */
  readonly failures: number
  checking: boolean
  /** It came under another policy, and the handshake door of that policy has not accepted it yet. */
  readonly unjudged: boolean
  /** When it ends because its store was lost. */
  lostAt: number
  /** From 0 to 1 and constant. Connections that opened together end one after the other. */
  readonly spread: number
  /** Whether a message is being judged or handled. */
  readonly handling: boolean
  /** Since when the queue for the peer exceeds the bound. */
  slowSince: number
  /** When a slow reader is checked next. */
  slowLookAt: number
  /** When the peer must have taken enough. */
  slowUntil: number
  /** Bytes that a slow reader had taken when its time began, and bytes queued here at the last look. */
  slowTaken: number
  slowBuffered: number
  /** Whether 16 KiB or more were sent before the last ping, and no pong has shown yet that they were read. */
  readonly isBehindMessages: boolean
  /** Until when a pong may wait behind data that was sent before its ping. 0 while it is not late. */
  pongUntil: number
  /** When to look next for a late pong. */
  pongLookAt: number
  /** How often the kernel's queue had changed at the last look. */
  pongChanges: number
  /** Bytes that the kernel still holds for the peer. Null if they are unknown. The first call starts to watch them. */
  kernelQueue(): KernelQueue | null
  /** When a draining server closes this connection. */
  leaveAt: number
  /** Until when it may finish a message that it handles. */
  readonly leaveBy: number
  ping(): void
  /** The peer reads again. */
  caughtUp(): void
  /** Looks the session up again. The answer is applied when it arrives. */
  recheck(): void
}

/** A compiled lifetime control. */
export interface LifetimeCheck {
  /**
   * When the control must look at the connection next. `Infinity` for never. Must be cheap: it runs for every
   * connection that is due.
   */
  due(connection: TimedConnection): number
  /** Called when that time has come. */
  look(connection: TimedConnection, now: number): Verdict
}
