import type { Attempt } from '../handshake/attempt.ts'
import type { HandshakeRequest } from '../handshake/handshake-request.ts'
import type { Kept } from '../lifetime/kept.ts'
import type { Spoke } from '../lifetime/wheel.ts'
import { createConcurrency } from '../message/concurrency.ts'
import type { BudgetKeys, MessageConnection, MessageSubject } from '../message/message-control.ts'
import { type DenialCode, DENIALS } from '../policy/denials.ts'
import { type ControlId, type Denial, deny, PASS, type Verdict } from '../policy/verdict.ts'
import type { Session } from '../session/session.ts'
import { checkClose } from './close-frame.ts'
import type { Connection } from './connection.ts'
import type { Delivery, Hub } from './hub.ts'
import { HOLD, InboundHalf } from './inbound-half.ts'
import { FLAG } from './outbound-half.ts'
import type { Inlet, Transport } from './transport.ts'
import { violationOf } from './violation.ts'

/** What the first message of first-message mode is answered with. */
const AUTHENTICATED = '{"type":"authenticated"}'
/** How long a peer has to answer a close frame before it is cut, in ms. */
const CLOSE_PATIENCE_MS = 5_000
const STRIKE_WINDOW_MS = 60_000

/**
 * One connection between its transport and the app: every message goes through the door in order, and nothing is
 * delivered, sent or counted once a denial has ended it.
 */
export class LiveConnection extends InboundHalf implements Connection, MessageConnection, Kept, Inlet, Spoke {
  data: unknown = undefined

  messageTat = 0
  byteTat = 0
  budgetKeys: BudgetKeys | null = null
  /** In ms since it opened, as `pingOffset` is. */
  private checkOffset = 0
  private leaseOffset = 0
  slot = -1
  /** Bits of the lifetime controls that have already spoken in report mode, and the keeper's own. */
  reported = 0

  readonly #delivery: Delivery

  constructor(hub: Hub, attempt: Attempt & { readonly session: Session }, transport: Transport, delivery: Delivery) {
    super(hub, attempt, transport, hub.now())
    this.#delivery = delivery
    transport.limit(this.messageBytes())
  }

  /** Tells the app, once the transport is ready to send. */
  begin(): void {
    if (this.readyState === 1) this.opened()
  }

  private opened(): void {
    this.flags |= FLAG.announced
    // An app that could not greet a connection has not set it up: it must not run half set up.
    this.callApp(
      () => this.#delivery.open?.(this),
      () => this.close(1011),
    )
  }

  /** Why it was ended, when a control did. */
  get denial(): Denial | null {
    return this.rare.denial
  }
  /** Report mode let a first message pass that proves nothing: it is a message like any other. */
  get unproven(): boolean {
    return this.rare.unproven
  }
  set unproven(is: boolean) {
    if (is !== this.rare.unproven) this.ownRare().unproven = is
  }
  get controlFrameTat(): number {
    return this.rare.controlFrameTat
  }
  set controlFrameTat(at: number) {
    this.ownRare().controlFrameTat = at
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

  get id(): string {
    return this.attempt.id
  }
  get request(): HandshakeRequest {
    return this.attempt.request
  }
  get ip(): string {
    return this.attempt.request.ip
  }
  get origin(): string | null {
    return this.attempt.origin
  }
  get path(): string {
    return this.attempt.request.path
  }
  get protocol(): string {
    return this.attempt.subprotocol ?? ''
  }
  get takesBytes(): boolean {
    return this.#delivery.takesBytes === true
  }
  get authenticated(): boolean {
    return this.readyState !== 0
  }
  get signal(): AbortSignal {
    const rare = this.ownRare()
    if (rare.abort === null) {
      rare.abort = new AbortController()
      if (this.readyState === 3 || rare.denial !== null) rare.abort.abort()
    }
    return rare.abort.signal
  }

  // ——— from the transport ———

  ping(): void {
    if (this.readyState < 2) this.transport.ping()
  }

  pinged(): void {
    if (this.readyState < 2) this.countControlFrame()
  }

  ponged(): void {
    if (this.readyState >= 2) return
    if (this.pongAwaited) this.pongAwaited = false
    else this.countControlFrame()
  }

  private countControlFrame(): void {
    const verdict = this.hub.controlFrame(this)
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

  closed(code: number): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dropBacklog()
    this.dropHeld()
    this.hub.ended(this, code)
    this.rare.abort?.abort()
    if ((this.flags & FLAG.announced) !== 0) this.callApp(() => this.#delivery.closed?.(this, code))
  }

  // ——— through the door ———

  protected askDoor(subject: MessageSubject): Verdict | Promise<Verdict> {
    return this.authenticated ? this.hub.admitMessage(subject, this) : this.judgeFirst(subject)
  }

  private judgeFirst(subject: MessageSubject): Verdict | Promise<Verdict> {
    const most = this.messageBytes()
    const denial =
      subject.bytes > most
        ? deny('SALLY_MESSAGE_TOO_BIG', `the first message is ${subject.bytes} bytes, over ${most}`)
        : deny('SALLY_AUTHENTICATION_FIRST', 'the first message is binary')
    if (subject.bytes <= most && subject.text !== null) return this.hub.admitFirst(subject.text, this)
    const { control } = DENIALS[denial.code]
    const enforced = this.hub.enforced(control)
    this.tell(control, denial, enforced)
    if (enforced) return denial
    this.unproven = true
    return PASS
  }

  protected settle(subject: MessageSubject, verdict: Verdict): void {
    if (this.readyState >= 2) return
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
      this.hub.authenticated(this)
    }
    this.sendHeld()
    if (this.isOpen()) this.opened()
    if (this.isOpen() && this.unproven) this.judge(subject, this.hub.now())
  }

  private refuseMessage(subject: MessageSubject, denial: Denial): void {
    const row = DENIALS[denial.code]
    const { rate, format } = this.hub.policy.message
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
    const now = this.hub.now()
    const rare = this.ownRare()
    if (now - rare.strikesSince > STRIKE_WINDOW_MS) {
      rare.strikesSince = now
      rare.strikes = 0
    }
    if (++rare.strikes > this.hub.policy.message.strikes) {
      this.end(deny('SALLY_MESSAGE_STRIKES', `${rare.strikes} refused messages within a minute`))
    }
  }

  private replyError(code: DenialCode): void {
    this.transmit(JSON.stringify({ [this.hub.policy.message.discriminator]: 'error', code }))
  }

  private dispatch(subject: MessageSubject): void {
    let running: PromiseLike<unknown>
    try {
      const result = this.#delivery.message(subject, this)
      if (!isThenable(result)) return
      running = result
    } catch (error) {
      this.handlerFailed(error)
      return
    }
    const handlers = (this.ownRare().concurrency ??= createConcurrency(this.hub.handlers))
    if (handlers.enter()) this.fill(handlers.running)
    const done = (): void => {
      if (handlers.leave()) this.releaseFrom(HOLD.full)
    }
    void Promise.resolve(running).then(done, (error: unknown) => {
      this.handlerFailed(error)
      done()
    })
  }

  /** As many handlers run as may. */
  private fill(running: number): void {
    if (this.readyState >= 2 || this.isHeldFor(HOLD.full)) return
    const denial = deny('SALLY_MESSAGE_CONCURRENCY', `${running} handlers run`)
    if (!this.hub.enforced('message/concurrency')) {
      this.report('message/concurrency', denial)
      return
    }
    this.holdFor(HOLD.full)
    this.tell('message/concurrency', denial, true)
  }

  /** Calls the app. What it throws, now or later, is told of and has no other way out. */
  private callApp(work: () => unknown, failed?: () => void): void {
    const fail = (error: unknown): void => {
      this.appFailed(error)
      failed?.()
    }
    try {
      const result = work()
      if (isThenable(result)) Promise.resolve(result).catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  private appFailed(thrown: unknown): void {
    this.hub.failed(thrown, this)
    try {
      const result: unknown = this.#delivery.failed?.(thrown, this)
      if (isThenable(result)) Promise.resolve(result).catch(() => undefined)
    } catch {
      // It failed while being told of a failure; the event stands.
    }
  }

  private handlerFailed(error: unknown): void {
    this.appFailed(error)
    if (this.hub.policy.message.format?.data !== 'binary') this.replyError('SALLY_HANDLER_FAILED')
  }

  // ——— its end ———

  recheck(): void {
    if (this.checking) return
    this.checking = true
    void this.hub.recheck(this).then(found => {
      this.checking = false
      if (this.readyState >= 2) return
      const now = this.hub.now()
      this.checkedAt = now
      if ('session' in found) {
        this.uncheckedSince = 0
        this.session = found.session
      } else if (DENIALS[found.code].http !== 503) {
        this.end(deny('SALLY_LIFETIME_INVALID', found.detail))
      } else if (this.uncheckedSince === 0) {
        this.uncheckedSince = now
        this.tell('lifetime/session', found, false)
      }
      if (this.readyState < 2) this.touch()
    })
  }

  protected tell(control: ControlId, denial: Denial, enforced: boolean): void {
    this.hub.denied(control, denial, enforced, this)
  }

  private report(control: ControlId, denial: Denial): void {
    const told = (this.ownRare().told ??= new Set())
    if (told.has(denial.code)) return
    told.add(denial.code)
    this.tell(control, denial, false)
  }

  /** Puts it under another guard's policy; messages from now on are judged by that. */
  moveTo(hub: Hub, attempt: Attempt): void {
    this.hub.surrender(this)
    this.hub = hub
    this.attempt = attempt
    this.reported = 0
    this.checkedAt = hub.now()
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
    if (this.hub.enforced(control)) this.shut(denial, DENIALS[denial.code].close ?? 1008, control)
    else this.report(control, denial)
  }

  /** The operator's own word, so that report mode does not hold it back. */
  revoked(denial: Denial): void {
    if (this.readyState < 2) this.shut(denial, DENIALS[denial.code].close ?? 1008, DENIALS[denial.code].control)
  }

  /** From here on nothing passes; before anybody is told, who might call back. */
  private leaveFor(denial: Denial | null): void {
    if (denial !== this.rare.denial) this.ownRare().denial = denial
    this.readyState = 2
    this.dropBacklog()
    this.dropHeld()
  }

  protected shut(denial: Denial, code: number, control: ControlId | null): void {
    this.leaveFor(denial)
    if (control !== null) this.tell(control, denial, true)
    if (DENIALS[denial.code].action === 'terminate' || code === 1006) this.transport.terminate()
    else this.startClose(code, denial.code)
    this.rare.abort?.abort()
  }

  private startClose(code: number, reason: string): void {
    this.transport.close(code, reason)
    this.transport.resume()
    this.cutLater()
  }

  close(code = 1000, reason = ''): void {
    checkClose(code, reason)
    if (this.readyState >= 2) return
    this.leaveFor(null)
    this.startClose(code, reason)
  }

  terminate(): void {
    if (this.readyState === 3) return
    this.leaveFor(this.denial)
    this.transport.terminate()
  }

  protected touch(): void {
    this.hub.touch(this)
  }

  private cutLater(): void {
    if (this.readyState === 3) return
    this.ownRare().cutAt = this.hub.now() + CLOSE_PATIENCE_MS
    this.touch()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
