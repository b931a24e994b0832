import { type ControlId, type Denial, deny } from '../model/verdict.ts'
import { addressKey } from '../store/address-key.ts'
import { FLAG, OutboundHalf } from './outbound.ts'
import { type Holder, readAhead, WAITING_BYTES } from './read-ahead.ts'

/** Why nothing is judged: bits of `flags`, since several can hold at once. */
export const HOLD: Readonly<Record<'judged' | 'delayed' | 'full' | 'slow' | 'taken', number>> = Object.freeze({
  /** A verdict is awaited. */
  judged: 1,
  /** `message/rate` delays the next message. */
  delayed: 2,
  /** As many handlers run as may. */
  full: 4,
  /** The peer does not read. */
  slow: 8,
  /** Whoever messages are delivered to takes no more. */
  taken: 16,
})
const ANY_HOLD = 31
/** How often a connection that is not read is looked at, and how often it is sent a sign that asks for no answer, in ms. */
const LOOK_MS = 500
const SIGN_MS = 1_000

/**
 * How a connection is held back. Its messages wait, and it is read ahead of them within bounds: pings are answered, and a
 * close frame, an end or a reset is seen at once. Beyond the bounds the socket is paused.
 */
export abstract class HeldHalf extends OutboundHalf implements Holder {
  /** Ends it whatever report mode says. `control`: whom to tell of; null where it was told. */
  protected abstract shut(denial: Denial, code: number, control: ControlId | null): void
  abstract terminate(): void
  /** What came before the peer's close frame is handled, or waits for too long: the app hears of the end. */
  protected abstract endLastWords(): void
  abstract pingedAt: number
  abstract pongAwaited: boolean
  abstract frameLookAt: number

  /** False while its socket is paused: what the peer sends, pongs too, waits in the kernel then. */
  get reading(): boolean {
    return (this.flags & FLAG.paused) === 0
  }
  protected get isHeld(): boolean {
    return (this.flags & ANY_HOLD) !== 0
  }
  /**
   * Whether messages wait for nothing but a verdict or a handler that ends. An honest client sends and closes at once: such
   * messages are handled in spite of its close frame, for a moment.
   */
  protected get hasLastWords(): boolean {
    if (this.readyState !== 1 || (this.flags & ANY_HOLD & ~(HOLD.judged | HOLD.full)) !== 0) return false
    return this.isHeldFor(HOLD.judged) || (this.isHeldFor(HOLD.full) && this.rare.backlog !== null)
  }
  get aheadBytes(): number {
    return this.rare.aheadBytes
  }
  set aheadBytes(bytes: number) {
    this.ownRare().aheadBytes = bytes
  }
  get aheadKey(): string {
    const rare = this.ownRare()
    rare.aheadKey ||= addressKey(this.attempt.request.ip)
    return rare.aheadKey
  }

  protected holdFor(reason: number): void {
    this.flags |= reason
  }

  protected isHeldFor(reason: number): boolean {
    return (this.flags & reason) !== 0
  }

  /** One more message waits. */
  protected addWaiting(bytes: number): void {
    const isFirst = this.rare.aheadBytes === 0
    readAhead.add(this, bytes + WAITING_BYTES)
    if (this.readyState >= 2) return
    if (!readAhead.mayRead(this)) this.stopReading()
    else if (isFirst) this.transport.readLess?.(true)
  }

  /** One of those that waited is taken up. */
  protected endWaiting(bytes: number): void {
    readAhead.add(this, -bytes - WAITING_BYTES)
  }

  /** The transport holds so many bytes that it has read and not handed on. */
  kept(bytes: number): void {
    const more = bytes - this.rare.keptBytes
    if (more === 0) return
    this.ownRare().keptBytes = bytes
    readAhead.add(this, more)
  }

  /** Nothing of what was read is held any more. */
  protected endAhead(): void {
    if (this.rare.aheadBytes === 0) return
    readAhead.add(this, -this.rare.aheadBytes)
    this.ownRare().keptBytes = 0
  }

  evict(): void {
    if (this.rare.closedWith !== 0) this.endLastWords()
    if (this.readyState >= 2) return
    const detail = `${this.aheadBytes} bytes wait to be handled, the most of all connections, and together they wait for too much`
    this.shut(deny('SALLY_MESSAGE_CONCURRENCY', detail), 1013, 'message/concurrency')
  }

  protected stopReading(): void {
    if (!this.reading) return
    const rare = this.ownRare()
    rare.pausedSince = this.services.now()
    rare.unreadLookAt = rare.pausedSince + LOOK_MS
    this.flags |= FLAG.paused
    this.transport.pause()
    this.touch()
    this.kept(this.transport.keptBytes ?? 0)
  }

  /** Reads on where there is room again: with `all`, since nothing waits any more. */
  protected readOn(all: boolean): void {
    if (all && this.rare.aheadKey !== '') this.transport.readLess?.(false)
    if (!this.reading && (all || readAhead.mayRead(this))) this.startReading()
    if (!all || this.rare.aheadKey === '' || this.rare.aheadBytes > 0) return
    // So that the record of what is rare can be given up again.
    const rare = this.ownRare()
    rare.aheadKey = ''
    rare.pausedSince = 0
  }

  private startReading(): void {
    this.flags &= ~FLAG.paused
    this.ownRare().unreadLookAt = 0
    this.kept(0)
    // While nothing was read no pong could be seen, and nothing of a frame.
    if (this.pongAwaited) {
      const unread = this.services.now() - Math.max(this.rare.pausedSince, this.pingedAt)
      this.pingedAt += unread
      if (this.frameLookAt !== 0) this.frameLookAt += unread
    }
    this.transport.resume()
  }

  /** When a connection that is not read is looked at next; 0 for one that is read. */
  get unreadLookAt(): number {
    return this.rare.unreadLookAt
  }

  /** Ends it where the peer is gone: neither a reset nor an end can be seen on a socket that is not read. */
  lookUnread(): void {
    this.ownRare().unreadLookAt = this.services.now() + LOOK_MS
    if (this.transport.isReset?.() === true) {
      this.terminate()
      return
    }
    // What was queued shows the end as well; and before the proof nothing may be sent.
    if (this.readyState !== 1 || this.transport.bufferedAmount > 0) return
    // A peer that has ended is not seen behind what it sent: its system answers what we send with a reset.
    const unread = this.services.now() - this.rare.pausedSince - LOOK_MS
    if (unread % SIGN_MS < LOOK_MS) this.transport.pong?.()
  }
}
