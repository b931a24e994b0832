import type { Attempt } from '../model/attempt.ts'
import type { TimedConnection } from '../controls/lifetime/timed-connection.ts'
import { retryMs } from '../controls/lifetime/session.ts'
import { spreadOf } from '../controls/lifetime/spread.ts'
import type { WheelItem } from '../controls/lifetime/wheel.ts'
import type { BudgetKeys, MessageConnection, MessageSubject, RateNeeds } from '../controls/message/message-control.ts'
import { DENIALS } from '../policy/denials.ts'
import { isThenable } from '../model/thenable.ts'
import { type ControlId, type Denial, deny, PASS, type Verdict } from '../model/verdict.ts'
import type { Session } from '../model/session.ts'
import { LATE_MARGIN_MS } from '../guard/entering.ts'
import type { Delivery, GuardServices } from './services.ts'
import { HOLD } from './waiting.ts'
import { FLAG } from './outbound.ts'
import { LastWords } from './ending.ts'
import type { Checked } from '../guard/standing.ts'
import type { Inlet, Transport } from './transport.ts'
import { violationOf } from './violation.ts'

/** What the first message of first-message mode is answered with. */
const AUTHENTICATED = '{"type":"authenticated"}'
const STRIKE_WINDOW_MS = 60_000
/** The margin of late news covers handshakes that take no longer, in ms. */
const SHORT_HANDSHAKE_MS = LATE_MARGIN_MS - 1000

/**
 * One connection between its transport and the app: every message goes through the door in order, and nothing is
 * delivered, sent or counted once a denial has ended it. Here is what faces the wire, the door and the keeper.
 */
export class LiveConnection extends LastWords implements MessageConnection, TimedConnection, Inlet, WheelItem {
  messageTat = 0
  byteTat = 0
  budgetKeys: BudgetKeys | null = null
  /** In ms since it opened, as `pingOffset` is. */
  private checkOffset = 0
  private leaseOffset = 0
  slot = -1
  /** Bits of the lifetime controls that have already spoken in report mode, and the keeper's own. */
  reported = 0

  constructor(
    services: GuardServices,
    attempt: Attempt & { readonly session: Session },
    transport: Transport,
    delivery: Delivery,
  ) {
    super(services, attempt, transport, delivery)
    transport.limit(this.messageBytes())
  }

  /** Report mode let a first message pass that proves nothing: it is a message like any other. */
  get unproven(): boolean {
    return this.rare.unproven
  }
  set unproven(is: boolean) {
    if (is !== this.rare.unproven) this.ownRare().unproven = is
  }
  protected isProven(): boolean {
    return this.readyState === 1 && !this.unproven
  }
  get rateNeeds(): RateNeeds | null {
    return this.rare.rateNeeds
  }
  set rateNeeds(needs: RateNeeds | null) {
    this.ownRare().rateNeeds = needs
  }
  get controlFrameTat(): number {
    return this.rare.controlFrameTat
  }
  set controlFrameTat(at: number) {
    this.ownRare().controlFrameTat = at
  }
  /** When its handshake began, in ms since the epoch; short ones count as begun when it opened. */
  get enteredAt(): number {
    return this.rare.enteredAt || this.openedAt
  }
  set enteredAt(at: number) {
    if (this.openedAt - at > SHORT_HANDSHAKE_MS) this.ownRare().enteredAt = at
  }
  get checkedAt(): number {
    return this.openedAt + this.checkOffset
  }
  set checkedAt(at: number) {
    this.checkOffset = Math.round(at - this.openedAt)
  }
  get leaseAt(): number {
    return this.openedAt + this.leaseOffset
  }
  set leaseAt(at: number) {
    this.leaseOffset = Math.round(at - this.openedAt)
  }
  get uncheckedSince(): number {
    return this.rare.uncheckedSince
  }
  set uncheckedSince(at: number) {
    if (at !== this.rare.uncheckedSince) this.ownRare().uncheckedSince = at
  }
  get checking(): boolean {
    return (this.flags & FLAG.checking) !== 0
  }
  set checking(is: boolean) {
    this.flag(FLAG.checking, is)
  }
  get unjudged(): boolean {
    return (this.flags & FLAG.unjudged) !== 0
  }
  set unjudged(is: boolean) {
    this.flag(FLAG.unjudged, is)
  }
  get retryAt(): number {
    return this.rare.retryAt
  }
  set retryAt(at: number) {
    if (at !== this.rare.retryAt) this.ownRare().retryAt = at
  }
  /** Look-ups that failed one after the other. */
  get failures(): number {
    return this.rare.failures
  }
  set failures(count: number) {
    if (count !== this.rare.failures) this.ownRare().failures = count
  }
  get lostAt(): number {
    return this.rare.lostAt
  }
  set lostAt(at: number) {
    if (at !== this.rare.lostAt) this.ownRare().lostAt = at
  }
  get spread(): number {
    return spreadOf(this.id)
  }
  get handling(): boolean {
    return (this.rare.concurrency?.running ?? 0) > 0 || this.isHeldFor(HOLD.judged)
  }
  get leaveBy(): number {
    return this.rare.leaveBy
  }
  set leaveBy(at: number) {
    if (at !== this.rare.leaveBy) this.ownRare().leaveBy = at
  }
  get leaveAt(): number {
    return this.rare.leaveAt
  }
  set leaveAt(at: number) {
    this.ownRare().leaveAt = at
  }
  /** When a closing connection is cut. */
  get cutAt(): number {
    return this.rare.cutAt
  }

  /** The clock may have been set back: a time that lies ahead must not keep a right alive, nor a question waiting. */
  clockIs(now: number): void {
    if (this.checkedAt <= now) return
    this.checkedAt = now
    if (this.uncheckedSince > now) this.uncheckedSince = now
    if (this.retryAt > now) this.retryAt = now
  }

  // ——— from the transport ———

  /** Whether nothing may leave and nothing be heard yet: the peer has not proven itself by its first message. */
  get silent(): boolean {
    return this.readyState === 0 && this.services.enforced('handshake/ticket')
  }

  ping(): void {
    this.markPing()
    // Before the proof the deadline of `lifetime/authentication` bounds the wait.
    if (this.silent && this.services.policy.lifetime.authentication !== null) this.pongAwaited = false
    else if (this.readyState < 2) this.transport.ping()
  }

  pinged(): void {
    if (this.readyState < 2) this.countControlFrame()
  }

  ponged(): void {
    if (this.readyState >= 2) return
    if (this.pongAwaited) {
      this.pongAwaited = false
      this.flag(FLAG.ahead, false)
      if (this.pongLookAt !== 0) {
        this.pongLookAt = 0
        this.touch()
      }
    } else this.countControlFrame()
  }

  private countControlFrame(): void {
    const verdict = this.services.controlFrame(this)
    if (!verdict.pass) this.end(verdict)
  }

  violation(closeCode: number, detail: string): void {
    if (this.readyState >= 2) return
    const denial = violationOf(closeCode, detail)
    this.leaveFor(denial)
    this.tell(DENIALS[denial.code].control, denial, true)
    this.cutLater()
    this.rare.abort?.abort()
  }

  protected tellEnded(code: number): void {
    this.services.ended(this, code)
  }

  protected tellOver(): void {
    this.services.over(this)
  }

  // ——— through the door ———

  protected askDoor(subject: MessageSubject): Verdict | Promise<Verdict> {
    return this.authenticated ? this.services.admitMessage(subject, this) : this.judgeFirst(subject)
  }

  private judgeFirst(subject: MessageSubject): Verdict | Promise<Verdict> {
    const most = this.messageBytes()
    const denial =
      subject.bytes > most
        ? deny('SALLY_MESSAGE_TOO_BIG', `the first message is ${subject.bytes} bytes, over ${most}`)
        : deny('SALLY_AUTHENTICATION_FIRST', 'the first message is binary')
    if (subject.bytes <= most && subject.text !== null) return this.services.admitFirst(subject.text, this)
    const { control } = DENIALS[denial.code]
    const enforced = this.services.enforced(control)
    this.tell(control, denial, enforced)
    if (enforced) return denial
    this.unproven = true
    return PASS
  }

  protected settle(subject: MessageSubject, verdict: Verdict): void {
    if (this.readyState >= 2) {
      if (this.lingers && verdict.pass) this.dispatch(subject)
      return
    }
    if (!this.authenticated) this.settleFirst(subject, verdict)
    else if (verdict.pass) this.dispatch(subject)
    else this.refuseMessage(subject, verdict)
  }

  private settleFirst(subject: MessageSubject, verdict: Verdict): void {
    if (!verdict.pass) {
      const row = DENIALS[verdict.code]
      // "Sign in again", unless it is the size that is wrong, or our own store.
      this.shut(verdict, row.control === 'message/size' || row.http === 503 ? (row.close ?? 1013) : 4401, null)
      return
    }
    this.readyState = 1
    this.transport.limit(this.messageBytes())
    if (!this.unproven) {
      this.transport.sendText(AUTHENTICATED)
      this.services.authenticated(this)
    }
    this.sendHeld()
    if (this.isOpen()) this.opened()
    if (this.isOpen() && this.unproven) this.judge(subject, this.services.now())
  }

  private refuseMessage(subject: MessageSubject, denial: Denial): void {
    const row = DENIALS[denial.code]
    const { rate, format } = this.services.policy.message
    if (row.control === 'message/rate' && rate?.exceed === 'drop') return
    if (row.control === 'message/rate' && rate?.exceed === 'delay') {
      this.delay(subject, (denial.retryAfter ?? 1) * 1000)
      return
    }
    if (row.action !== 'reply' || format?.data === 'binary') {
      this.shut(denial, row.close ?? 1008, null)
      return
    }
    this.strike()
    this.replyError(denial.code)
  }

  /** Counts a message that was refused and answered; too many of them within a minute end the connection. */
  strike(): void {
    const now = this.services.now()
    const rare = this.ownRare()
    if (now - rare.strikesSince > STRIKE_WINDOW_MS) {
      rare.strikesSince = now
      rare.strikes = 0
    }
    if (++rare.strikes > this.services.policy.message.strikes) {
      this.end(deny('SALLY_MESSAGE_STRIKES', `${rare.strikes} refused messages within a minute`))
    }
  }

  // ——— its end ———

  recheck(): void {
    if (this.checking) return
    this.checking = true
    const { attempt } = this
    const conclude = (checked: Checked): void => {
      // It came under another policy meanwhile, which asks for itself.
      if (this.attempt !== attempt) return
      this.checking = false
      if (this.readyState >= 2 || checked.is === 'moot') return
      this.conclude(checked)
      if (this.readyState < 2) this.touch()
    }
    const checked = this.services.check(this)
    if (isThenable(checked)) void Promise.resolve(checked).then(conclude)
    else conclude(checked)
  }

  private conclude(checked: Exclude<Checked, { readonly is: 'moot' }>): void {
    if (checked.is === 'yes') {
      this.answered()
      this.session = checked.session
    } else if (checked.is === 'no') {
      // What report mode lets stand is looked up again in the usual time.
      this.answered()
      if (checked.told) this.refuseStanding(checked.denial)
      else this.end(checked.denial)
    } else {
      this.doubt(checked.denial, checked.told)
    }
  }

  private answered(): void {
    this.checkedAt = this.services.now()
    this.unjudged = false
    if (this.uncheckedSince === 0) return
    this.uncheckedSince = 0
    this.retryAt = 0
    this.failures = 0
    this.dropRare()
  }

  /** Nobody can tell whether it may stay. `uncheckedSince` and `checkedAt` stay as they are at further failures and reloads. */
  private doubt(denial: Denial, told: boolean): void {
    const now = this.services.now()
    const isNew = this.failures++ === 0
    if (this.uncheckedSince === 0) this.uncheckedSince = now
    this.retryAt = now + retryMs(this.services.policy) * (0.75 + Math.random() / 2)
    if (isNew && !told) this.tell('lifetime/session', denial, false)
  }

  protected tell(control: ControlId, denial: Denial, enforced: boolean): void {
    this.services.denied(control, denial, enforced, this)
  }

  /** Puts it under another guard's policy; messages from now on are judged by that. */
  moveTo(services: GuardServices, attempt: Attempt): void {
    // A store that was lost ends what it counts; another one does not know of it.
    if (this.services.store !== services.store && this.lostAt !== 0) this.lostAt = 0
    this.services.surrender(this, attempt, services.store)
    this.services = services
    this.attempt = attempt
    this.reported = 0
    // The last yes stays what it is: a reload renews no right.
    this.checking = false
    this.unjudged = true
    if (this.uncheckedSince === 0) this.uncheckedSince = services.now()
    this.transport.limit(this.messageBytes())
  }

  /** Ends it for what a handshake door that it came under later does not let pass; the door has told. */
  refuseStanding(denial: Denial): void {
    if (this.readyState >= 2) return
    const { close, http } = DENIALS[denial.code]
    this.shut(denial, close ?? (http === 401 ? 4401 : http === 503 || http === 429 ? 1013 : 1008), null)
  }

  /** Ends the connection for a control; told of once. In report mode of that control nothing happens to it. */
  end(denial: Denial, control: ControlId = DENIALS[denial.code].control): void {
    if (this.readyState >= 2) return
    if (this.services.enforced(control)) this.shut(denial, DENIALS[denial.code].close ?? 1008, control)
    else this.report(control, denial)
  }

  /** The operator's own word, so that report mode does not hold it back. */
  revoked(denial: Denial): void {
    if (this.readyState < 2) this.shut(denial, DENIALS[denial.code].close ?? 1008, DENIALS[denial.code].control)
    else this.endLastWords()
  }

  protected touch(): void {
    this.services.touch(this)
  }
}
