import type { Attempt } from '../handshake/attempt.ts'
import type { HandshakeRequest } from '../handshake/handshake-request.ts'
import type { Kept } from '../lifetime/kept.ts'
import type { Spoke } from '../lifetime/wheel.ts'
import { type Concurrency, createConcurrency } from '../message/concurrency.ts'
import type { BudgetKeys, MessageConnection, MessageSubject } from '../message/message-control.ts'
import { type DenialCode, DENIALS } from '../policy/denials.ts'
import { type ControlId, type Denial, deny, PASS, type Verdict } from '../policy/verdict.ts'
import type { Session } from '../session/session.ts'
import { checkClose } from './close-frame.ts'
import type { Connection } from './connection.ts'
import type { Delivery, Hub } from './hub.ts'
import { HOLD, InboundHalf } from './inbound-half.ts'
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
  readonly openedAt: number
  data: unknown = undefined
  /** Why it was ended, when a control did. */
  denial: Denial | null = null
  /** Report mode let a first message pass that proves nothing: it is a message like any other. */
  unproven = false

  messageTat = 0
  byteTat = 0
  budgetKeys: BudgetKeys | null = null
  controlFrameTat = 0
  checkedAt: number
  uncheckedSince = 0
  checking = false
  leaveAt = 0
  leaseAt: number
  /** When a closing connection is cut. */
  cutAt = 0
  slot = -1
  /** Bits of the lifetime controls that have already spoken in report mode. */
  reported = 0

  readonly #delivery: Delivery
  #abort: AbortController | null = null
  #concurrency: Concurrency | null = null
  /** What report mode has already said of this connection: once is enough. */
  #told: Set<DenialCode> | null = null
  /** The app knows of it, and so is told of its end. */
  #announced = false
  #strikes = 0
  #strikesSince = 0

  constructor(hub: Hub, attempt: Attempt & { readonly session: Session }, transport: Transport, delivery: Delivery) {
    const now = hub.now()
    super(hub, attempt, transport, now)
    this.#delivery = delivery
    this.openedAt = now
    this.checkedAt = now
    this.leaseAt = now
    transport.limit(this.messageBytes())
  }

  /** Tells the app, once the transport is ready to send. */
  begin(): void {
    if (this.readyState === 1) this.#opened()
  }

  #opened(): void {
    this.#announced = true
    // An app that could not greet a connection has not set it up: it must not run half set up.
    this.#call(
      () => this.#delivery.open?.(this),
      () => this.close(1011),
    )
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
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.readyState === 3 || this.denial !== null) this.#abort.abort()
    }
    return this.#abort.signal
  }

  // ——— from the transport ———

  ping(): void {
    if (this.readyState < 2) this.transport.ping()
  }

  pinged(): void {
    if (this.readyState < 2) this.#countControlFrame()
  }

  ponged(): void {
    if (this.readyState >= 2) return
    if (this.pongAwaited) this.pongAwaited = false
    else this.#countControlFrame()
  }

  #countControlFrame(): void {
    const verdict = this.hub.controlFrame(this)
    if (!verdict.pass) this.end(verdict)
  }

  violation(closeCode: number, detail: string): void {
    if (this.readyState >= 2) return
    const denial = violationOf(closeCode, detail)
    this.#leave(denial)
    this.tell(DENIALS[denial.code].control, denial, true)
    this.#cutLater()
    this.#abort?.abort()
  }

  closed(code: number): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dropBacklog()
    this.dropHeld()
    this.hub.ended(this, code)
    this.#abort?.abort()
    if (this.#announced) this.#call(() => this.#delivery.closed?.(this, code))
  }

  // ——— through the door ———

  protected askDoor(subject: MessageSubject): Verdict | Promise<Verdict> {
    return this.authenticated ? this.hub.admitMessage(subject, this) : this.#judgeFirst(subject)
  }

  #judgeFirst(subject: MessageSubject): Verdict | Promise<Verdict> {
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
    if (!this.authenticated) this.#settleFirst(subject, verdict)
    else if (verdict.pass) this.#dispatch(subject)
    else this.#refuse(subject, verdict)
  }

  #settleFirst(subject: MessageSubject, verdict: Verdict): void {
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
    if (this.isOpen()) this.#opened()
    if (this.isOpen() && this.unproven) this.judge(subject, this.hub.now())
  }

  #refuse(subject: MessageSubject, denial: Denial): void {
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
    this.#replyError(denial.code)
  }

  /** Counts a message that was refused and answered; too many of them within a minute end the connection. */
  strike(): void {
    const now = this.hub.now()
    if (now - this.#strikesSince > STRIKE_WINDOW_MS) {
      this.#strikesSince = now
      this.#strikes = 0
    }
    if (++this.#strikes > this.hub.policy.message.strikes) {
      this.end(deny('SALLY_MESSAGE_STRIKES', `${this.#strikes} refused messages within a minute`))
    }
  }

  #replyError(code: DenialCode): void {
    this.transmit(JSON.stringify({ [this.hub.policy.message.discriminator]: 'error', code }))
  }

  #dispatch(subject: MessageSubject): void {
    let running: PromiseLike<unknown>
    try {
      const result = this.#delivery.message(subject, this)
      if (!isThenable(result)) return
      running = result
    } catch (error) {
      this.#handlerFailed(error)
      return
    }
    const handlers = (this.#concurrency ??= createConcurrency(this.hub.handlers))
    if (handlers.enter()) this.#fill(handlers.running)
    const done = (): void => {
      if (handlers.leave()) this.releaseFrom(HOLD.full)
    }
    void Promise.resolve(running).then(done, (error: unknown) => {
      this.#handlerFailed(error)
      done()
    })
  }

  /** As many handlers run as may. */
  #fill(running: number): void {
    if (this.readyState >= 2 || this.isHeldFor(HOLD.full)) return
    const denial = deny('SALLY_MESSAGE_CONCURRENCY', `${running} handlers run`)
    if (!this.hub.enforced('message/concurrency')) {
      this.#report('message/concurrency', denial)
      return
    }
    this.holdFor(HOLD.full)
    this.tell('message/concurrency', denial, true)
  }

  /** Calls the app. What it throws, now or later, is told of and has no other way out. */
  #call(work: () => unknown, failed?: () => void): void {
    const fail = (error: unknown): void => {
      this.#failed(error)
      failed?.()
    }
    try {
      const result = work()
      if (isThenable(result)) Promise.resolve(result).catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  #failed(thrown: unknown): void {
    this.hub.failed(thrown, this)
    try {
      const result: unknown = this.#delivery.failed?.(thrown, this)
      if (isThenable(result)) Promise.resolve(result).catch(() => undefined)
    } catch {
      // It failed while being told of a failure; the event stands.
    }
  }

  #handlerFailed(error: unknown): void {
    this.#failed(error)
    if (this.hub.policy.message.format?.data !== 'binary') this.#replyError('SALLY_HANDLER_FAILED')
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

  #report(control: ControlId, denial: Denial): void {
    this.#told ??= new Set()
    if (this.#told.has(denial.code)) return
    this.#told.add(denial.code)
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
    else this.#report(control, denial)
  }

  /** The operator's own word, so that report mode does not hold it back. */
  revoked(denial: Denial): void {
    if (this.readyState < 2) this.shut(denial, DENIALS[denial.code].close ?? 1008, DENIALS[denial.code].control)
  }

  /** From here on nothing passes; before anybody is told, who might call back. */
  #leave(denial: Denial | null): void {
    this.denial = denial
    this.readyState = 2
    this.dropBacklog()
    this.dropHeld()
  }

  protected shut(denial: Denial, code: number, control: ControlId | null): void {
    this.#leave(denial)
    if (control !== null) this.tell(control, denial, true)
    if (DENIALS[denial.code].action === 'terminate' || code === 1006) this.transport.terminate()
    else this.#startClose(code, denial.code)
    this.#abort?.abort()
  }

  #startClose(code: number, reason: string): void {
    this.transport.close(code, reason)
    this.transport.resume()
    this.#cutLater()
  }

  close(code = 1000, reason = ''): void {
    checkClose(code, reason)
    if (this.readyState >= 2) return
    this.#leave(null)
    this.#startClose(code, reason)
  }

  terminate(): void {
    if (this.readyState === 3) return
    this.#leave(this.denial)
    this.transport.terminate()
  }

  protected touch(): void {
    this.hub.touch(this)
  }

  #cutLater(): void {
    if (this.readyState === 3) return
    this.cutAt = this.hub.now() + CLOSE_PATIENCE_MS
    this.touch()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
