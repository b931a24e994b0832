/*
 * `ConnectionState.flags` is one integer. A server holds thousands of idle connections. A separate field for each of
 * these facts would cost each connection eight bytes. Bits 0–4 hold messages back. Bits 5–16 are facts. The bits from
 * 17 on count what was sent since the last ping.
 */

/** The reasons for which no message is judged now. Several can hold at once. */
export const HOLD: Readonly<Record<'judged' | 'delayed' | 'full' | 'slow' | 'taken', number>> = Object.freeze({
  /** The verdict on a message is awaited. */
  judged: 1,
  /** `message/rate` delays the next message. */
  delayed: 2,
  /** The greatest allowed number of handlers runs. */
  full: 4,
  /** The peer does not read what is sent to it. */
  slow: 8,
  /** The app, or a relay, has called `hold()`. */
  taken: 16,
})
const ANY_HOLD = 31

/** Other facts about a connection. */
export const FLAG: Readonly<
  Record<
    | 'judging'
    | 'takingUp'
    | 'pongAwaited'
    | 'checking'
    | 'announced'
    | 'replying'
    | 'unjudged'
    | 'paused'
    | 'sentMuchBeforePing',
    number
  >
> = Object.freeze({
  /** A message is being judged or handled in the present call. */
  judging: 32,
  /**
   * The loop over waiting messages is running. A release from inside a handler leaves the other messages to that loop.
   */
  takingUp: 64,
  /** A ping was sent, and its pong has not arrived yet. */
  pongAwaited: 128,
  /** The session is being looked up again, and the answer has not arrived yet. */
  checking: 256,
  /** The app was told that the connection opened. It will learn of the end too. */
  announced: 512,
  /** The answer to a heartbeat has not left yet. */
  replying: 1024,
  /** A new policy has taken the connection over, and its handshake door has not accepted it yet. */
  unjudged: 2048,
  /** The socket is not read, because the greatest allowed amount was read ahead. */
  paused: 4096,
  /** 16 KiB or more were sent before the last ping, and no pong has shown yet that the peer read them. */
  sentMuchBeforePing: 1 << 16,
})

/** Lowest bit of the count of bytes sent since the last ping. It counts quarters of a KiB, up to {@link MUCH_SENT}. */
const SENT_SHIFT = 17
const MUCH_SENT = 64

/** Whether any reason holds messages back. */
export function isHeld(flags: number): boolean {
  return (flags & ANY_HOLD) !== 0
}

/** Whether messages wait only for a verdict or for a handler to end. */
export function isHeldByWork(flags: number): boolean {
  return (flags & ANY_HOLD & ~(HOLD.judged | HOLD.full)) === 0
}

/** The flags after `bytes` were sent. */
export function withSent(flags: number, bytes: number): number {
  return flags >>> SENT_SHIFT < MUCH_SENT ? flags + (Math.min(MUCH_SENT, (bytes >>> 8) + 1) << SENT_SHIFT) : flags
}

/**
 * The flags after a ping. Its pong comes after the peer has read everything sent so far, so the count starts again from
 * 0.
 */
export function withPing(flags: number): number {
  const marked = flags >>> SENT_SHIFT >= MUCH_SENT ? flags | FLAG.sentMuchBeforePing : flags
  return marked & ((1 << SENT_SHIFT) - 1)
}
