import type { Attempt } from '../model/attempt.ts'
import { HARD_FACTOR } from '../controls/lifetime/backpressure.ts'
import { excessMs, spent } from '../controls/message/gcra.ts'
import { type Heartbeat, HEARTBEAT_BUDGET, HEARTBEAT_BYTES, heartbeatIn } from '../controls/message/heartbeat.ts'
import type { MessageSubject } from '../controls/message/message-control.ts'
import { Subject } from '../controls/message/subject.ts'
import { deny, PASS, type Verdict } from '../model/verdict.ts'
import type { Session } from '../model/session.ts'
import { Backlog } from './backlog.ts'
import type { GuardServices } from './services.ts'
import { HeldHalf, HOLD } from './waiting.ts'
import { FLAG } from './outbound.ts'
import type { Transport } from './transport.ts'

/** What one read of a transport may leave behind a message that is still judged: messages, and bytes beside the policy's. */
const BACKLOG_MOST = 16_384
const BACKLOG_BYTES = 65_536

/** Messages of one connection that have gone on in report mode while slow controls judge them; more are not judged. */
const REPORTING_MOST = 64

/** What comes in on a connection: judged one by one, in order, and read no faster than it is judged and handled. */
export abstract class InboundHalf extends HeldHalf {
  session: Session
  /** In ms since it opened: so short a number is kept in place, where ms since the epoch are objects. */
  private pingOffset = 0
  /** Theoretical arrival time (GCRA) of heartbeats, in ms since it opened. */
  private heartbeatOffset = 0

  constructor(
    services: GuardServices,
    attempt: Attempt & { readonly session: Session },
    transport: Transport,
    now: number,
  ) {
    super(services, attempt, transport, now)
    this.session = attempt.session
  }

  /** Whether its app or backend takes the bytes of a message as they came. */
  abstract readonly takesBytes: boolean
  protected abstract askDoor(subject: MessageSubject): Verdict | Promise<Verdict>
  protected abstract settle(subject: MessageSubject, verdict: Verdict): void

  get pingedAt(): number {
    return this.openedAt + this.pingOffset
  }
  set pingedAt(at: number) {
    this.pingOffset = Math.round(at - this.openedAt)
  }
  get pongAwaited(): boolean {
    return (this.flags & FLAG.pongAwaited) !== 0
  }
  set pongAwaited(is: boolean) {
    this.flag(FLAG.pongAwaited, is)
  }
  get midFrame(): boolean {
    return this.transport.midFrame ?? false
  }
  get bytesRead(): number {
    return this.transport.bytesRead ?? 0
  }
  get frameLookAt(): number {
    return this.rare.frameLookAt
  }
  set frameLookAt(at: number) {
    if (at !== this.rare.frameLookAt) this.ownRare().frameLookAt = at
  }
  get frameBytes(): number {
    return this.rare.frameBytes
  }
  set frameBytes(bytes: number) {
    if (bytes !== this.rare.frameBytes) this.ownRare().frameBytes = bytes
  }
  /** When a delayed message is judged again. */
  get delayedUntil(): number {
    return this.rare.delayedUntil
  }

  text(text: string, bytes: number): void {
    if (bytes <= HEARTBEAT_BYTES && this.answersHeartbeat(this.services.heartbeats.find(one => one.text === text)))
      return
    this.receive(new Subject(bytes, text, null))
  }

  utf8(bytes: Buffer, start: number, end: number, ascii: boolean): void {
    if (
      end - start <= HEARTBEAT_BYTES &&
      this.answersHeartbeat(heartbeatIn(this.services.heartbeats, bytes, start, end))
    ) {
      return
    }
    this.receive(Subject.lent(bytes, start, end, ascii))
  }

  binary(data: Uint8Array): void {
    // The transport may reuse its bytes; what waits or is handled later must own them.
    this.receive(new Subject(data.byteLength, null, data.slice()))
  }

  /**
   * Answers a heartbeat. It takes no message budget, and it is no activity: neither `lastMessageAt` nor a counter sees it.
   * False for any other message, before authentication, over the budget, and while the last answer still waits for the
   * peer: then it is a message like any other.
   */
  private answersHeartbeat(heartbeat: Heartbeat | undefined): boolean {
    if (heartbeat === undefined || !this.isProven()) return false
    if (heartbeat.protocol !== null && heartbeat.protocol !== this.attempt.subprotocol) return false
    if ((this.flags & FLAG.replying) !== 0 && this.transport.bufferedAmount > 0) return false
    const now = this.services.now()
    const tat = this.openedAt + this.heartbeatOffset
    if (excessMs(tat, now, 1, HEARTBEAT_BUDGET) > 0) return false
    if (this.hasExpired(now)) return true
    this.heartbeatOffset = Math.round(spent(tat, now, 1, HEARTBEAT_BUDGET) - this.openedAt)
    this.transport.sendText(heartbeat.reply)
    this.flag(FLAG.replying, this.transport.bufferedAmount > 0)
    return true
  }

  /** Whether it is open, and has shown who it acts for. */
  protected abstract isProven(): boolean

  private receive(subject: MessageSubject): void {
    if (this.readyState >= 2) return
    const now = this.services.now()
    this.lastMessageAt = now
    this.services.received(subject.bytes)
    if (this.isHeld || this.rare.backlog !== null) this.enqueue(subject)
    else this.judge(subject, now)
  }

  /** The most bytes of one message now. */
  protected messageBytes(): number {
    const { bytes, unauthenticatedBytes } = this.services.policy.message.size
    return this.readyState === 0 ? unauthenticatedBytes : bytes
  }

  private enqueue(subject: MessageSubject): void {
    const backlog = (this.ownRare().backlog ??= new Backlog())
    subject.keep?.()
    backlog.push(subject)
    this.addWaiting(subject.bytes)
    this.boundWaiting(backlog.size, backlog.bytes)
  }

  /**
   * Ends it where more waits to be judged than one read of a transport may leave: one that goes on delivering after
   * `pause` would be a way around every bound, in report mode too.
   */
  boundWaiting(messages: number, bytes: number): void {
    if (messages <= BACKLOG_MOST && bytes <= HARD_FACTOR * this.messageBytes() + BACKLOG_BYTES) return
    const detail = `${messages} messages of ${bytes} bytes came while the connection was held`
    this.shut(deny('SALLY_MESSAGE_CONCURRENCY', detail), 1008, 'message/concurrency')
  }

  protected judge(subject: MessageSubject, now: number): void {
    this.judgedAt = now
    if (this.hasExpired(now)) return
    if (this.rare.reporting >= REPORTING_MOST) {
      this.settle(subject, PASS)
      return
    }
    this.flags |= FLAG.judging
    const verdict = this.askDoor(subject)
    if (!(verdict instanceof Promise)) {
      this.settle(subject, verdict)
      this.flags &= ~FLAG.judging
      return
    }
    this.flags &= ~FLAG.judging
    subject.keep?.()
    if (this.services.onlyReports && this.takesBytes && this.readyState === 1) {
      // Nothing can deny it: it goes on as it came, in order, and is judged beside that.
      const rare = this.ownRare()
      rare.reporting++
      void verdict.then(() => rare.reporting--)
      this.settle(new Subject(subject.bytes, subject.text, subject.data), PASS)
      return
    }
    this.holdFor(HOLD.judged)
    void verdict.then(later => {
      this.settle(subject, later)
      this.releaseFrom(HOLD.judged)
    })
  }

  /** No message is handled past the expiry, though the keeper's next tick is still to come. */
  private hasExpired(now: number): boolean {
    const { expiresAt } = this.session
    if (expiresAt === undefined || expiresAt > now || this.services.policy.lifetime.session === null) return false
    this.end(deny('SALLY_LIFETIME_EXPIRED'))
    return this.readyState >= 2
  }

  /** Takes up what waited, in order, and reads on once nothing waits. */
  protected releaseFrom(reason: number): void {
    if ((this.flags & reason) === 0) return
    this.flags &= ~reason
    if ((this.flags & FLAG.takingUp) !== 0) return
    this.flags |= FLAG.takingUp
    while (!this.isHeld && this.takesUp) {
      const subject = this.rare.backlog?.shift()
      if (subject === undefined) break
      this.endWaiting(subject.bytes)
      this.judge(subject, this.services.now())
    }
    this.flags &= ~FLAG.takingUp
    if (this.readyState >= 2) {
      const waits = this.isHeldFor(HOLD.full) && (this.rare.backlog?.size ?? 0) > 0
      if (!waits && !this.isHeldFor(HOLD.judged)) this.endLastWords()
      return
    }
    if (!this.isHeld) this.dropBacklog()
    this.readOn(!this.isHeld)
  }

  /** Whether what waits may still be judged: on an open connection, and where it came before the peer's close frame. */
  private get takesUp(): boolean {
    return this.readyState < 2 || this.rare.closedWith !== 0
  }

  /** Whoever messages are delivered to takes no more for now: nothing is judged until `release`. */
  hold(): void {
    if (this.readyState < 2) this.holdFor(HOLD.taken)
  }

  release(): void {
    this.releaseFrom(HOLD.taken)
  }

  protected holdSlow(): void {
    this.holdFor(HOLD.slow)
  }

  caughtUp(): void {
    this.releaseFrom(HOLD.slow)
  }

  /** The message keeps its place, and is judged again in `ms`. */
  protected delay(subject: MessageSubject, ms: number): void {
    const rare = this.ownRare()
    rare.delayedUntil = this.services.now() + ms
    rare.backlog ??= new Backlog()
    subject.keep?.()
    // Another policy may judge it then, and let another value pass.
    subject.exact = false
    subject.altered = false
    subject.digits = false
    rare.backlog.putBack(subject)
    this.addWaiting(subject.bytes)
    this.holdFor(HOLD.delayed)
    this.touch()
  }

  /** The keeper calls it when a delay is over. */
  undelay(): void {
    this.ownRare().delayedUntil = 0
    this.releaseFrom(HOLD.delayed)
  }

  protected dropBacklog(): void {
    const { backlog } = this.rare
    if (backlog === null) return
    for (let left = backlog.shift(); left !== undefined; left = backlog.shift()) this.endWaiting(left.bytes)
    this.ownRare().backlog = null
  }
}
