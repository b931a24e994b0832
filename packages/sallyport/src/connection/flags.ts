/*
 * `ConnectionState.flags` is one integer. A server holds thousands of idle connections, and a field of its own for each of
 * these facts would cost each connection eight bytes. Bits 0–4 hold messages back, bits 5–16 are facts, and the bits from
 * 17 on count what was sent since the last ping.
 */

/** Why no message is judged now. Several reasons can hold at once. */
export const HOLD: Readonly<Record<'judged' | 'delayed' | 'full' | 'slow' | 'taken', number>> = Object.freeze({
  /** The verdict on a message is awaited. */
  judged: 1,
  /** `message/rate` delays the next message. */
  delayed: 2,
  /** As many handlers run as the policy allows. */
  full: 4,
  /** The peer does not read what is sent to it. */
  slow: 8,
  /** The app, or a relay, has called `hold()`. */
  taken: 16,
})
const ANY_HOLD = 31

/** What else is true of a connection. */
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
  /** A message is judged or handled in this very call. */
  judging: 32,
  /** Waiting messages are taken up now. A release from inside a handler leaves the rest to that loop. */
  takingUp: 64,
  /** A ping was sent, and its pong is not here yet. */
  pongAwaited: 128,
  /** The session is looked up again, and the answer is not here yet. */
  checking: 256,
  /** The app was told that the connection opened, so it is told when it ends. */
  announced: 512,
  /** The answer to a heartbeat has not left yet. */
  replying: 1024,
  /** A new policy has taken the connection over, and its handshake door has not said yes yet. */
  unjudged: 2048,
  /** The socket is not read: as much as allowed was read ahead. */
  paused: 4096,
  /** 16 KiB or more were sent before the last ping, and no pong has shown that the peer has read them. */
  sentMuchBeforePing: 1 << 16,
})

/** Bytes sent since the last ping, in quarters of a KiB, up to {@link MUCH_SENT}: the bits above all flags. */
const SENT_SHIFT = 17
const MUCH_SENT = 64

/** Whether any reason holds messages back. */
export function isHeld(flags: number): boolean {
  return (flags & ANY_HOLD) !== 0
}

/** Whether messages wait for nothing but a verdict or a handler. */
export function isHeldByWork(flags: number): boolean {
  return (flags & ANY_HOLD & ~(HOLD.judged | HOLD.full)) === 0
}

/** The flags after `bytes` were sent. */
export function withSent(flags: number, bytes: number): number {
  return flags >>> SENT_SHIFT < MUCH_SENT ? flags + (Math.min(MUCH_SENT, (bytes >>> 8) + 1) << SENT_SHIFT) : flags
}

/** The flags after a ping: its pong comes behind all that was sent so far, and the count begins anew. */
export function withPing(flags: number): number {
  const marked = flags >>> SENT_SHIFT >= MUCH_SENT ? flags | FLAG.sentMuchBeforePing : flags
  return marked & ((1 << SENT_SHIFT) - 1)
}
