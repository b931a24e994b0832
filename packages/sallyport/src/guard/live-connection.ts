import type { Attempt } from '../handshake/attempt.ts'
import type { Kept } from '../lifetime/kept.ts'
import { HARD_FACTOR } from '../lifetime/backpressure.ts'
import type { Spoke } from '../lifetime/wheel.ts'
import { type Concurrency, createConcurrency } from '../message/concurrency.ts'
import type { MessageConnection, MessageSubject } from '../message/message-control.ts'
import { DENIALS } from '../policy/denials.ts'
import { type ControlId, type Denial, deny, type Verdict } from '../policy/verdict.ts'
import type { HandshakeRequest } from '../handshake/handshake-request.ts'
import type { Session } from '../session/session.ts'
import type { Connection } from './connection.ts'
import type { Delivery, Hub } from './hub.ts'
import type { Inlet, Transport } from './transport.ts'

/** What the first message of first-message mode is answered with. */
const AUTHENTICATED = '{"type":"authenticated"}'
/** How long a peer has to answer a close frame before it is cut, in ms. */
const CLOSE_PATIENCE_MS = 5_000
const STRIKE_WINDOW_MS = 60_000
/** Messages that one read may leave behind while an earlier one is still being judged. */
const QUEUE_MOST = 16_384

/**
 * One connection between its transport and the app: every message goes through the door in order, and nothing is
 * delivered, sent or counted once a denial has ended it.
 */
export class LiveConnection implements Connection, MessageConnection, Kept, Inlet, Spoke {
  readonly attempt: Attempt
  readonly openedAt: number
  session: Session
  data: unknown = undefined
  readyState: 0 | 1 | 2 | 3
  /** Why it was ended, when a control did. */
  denial: Denial | null = null

  messageTat = 0
  byteTat = 0
  controlFrameTat = 0
  lastMessageAt: number
  pingedAt: number
  pongAwaited = false
  checkedAt: number
  uncheckedSince = 0
  checking = false
  slowSince = 0
  slowLookAt = 0
  leaveAt = 0
  leaseAt: number
  /** When a closing connection is cut. */
  cutAt = 0
  /** When a delayed message is judged again. */
  delayedUntil = 0
  slot = -1
  /** Bits of the lifetime controls that have already spoken in report mode. */
  reported = 0

  readonly #hub: Hub
  readonly #transport: Transport
  readonly #delivery: Delivery
  #abort: AbortController | null = null
  /** Messages read while an earlier one is judged or too many handlers run; their socket is paused. */
  #queue: MessageSubject[] | null = null
  #head = 0
  #queued = 0
  #held: (string | Uint8Array)[] | null = null
  #heldBytes = 0
  #judging = false
  #concurrency: Concurrency | null = null
  /** As many handlers run as may. */
  #full = false
  #strikes = 0
  #strikesSince = 0

  constructor(hub: Hub, attempt: Attempt & { readonly session: Session }, transport: Transport, delivery: Delivery) {
    const now = hub.now()
    this.#hub = hub
    this.#transport = transport
    this.#delivery = delivery
    this.attempt = attempt
    this.session = attempt.session
    this.openedAt = now
    this.lastMessageAt = now
    this.pingedAt = now
    this.checkedAt = now
    this.leaseAt = now
    this.readyState = attempt.ticket === 'deferred' ? 0 : 1
    transport.limit(this.authenticated ? hub.policy.message.size.bytes : hub.policy.message.size.unauthenticatedBytes)
  }

  /** Tells the app, once the transport is ready to send. */
  begin(): void {
    if (this.authenticated) this.#opened()
  }

  #opened(): void {
    try {
      this.#delivery.open?.(this)
    } catch (error) {
      // An app that could not greet a connection has not set it up: it must not run half set up.
      this.#failed(error)
      this.close(1011)
    }
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
  get authenticated(): boolean {
    return this.readyState !== 0
  }
  get bufferedAmount(): number {
    return this.#transport.bufferedAmount + this.#heldBytes
  }
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.readyState === 3) this.#abort.abort()
    }
    return this.#abort.signal
  }

  // ——— from the transport ———

  text(text: string, bytes: number): void {
    this.#receive({ bytes, text, data: null, value: undefined, type: null })
  }

  binary(data: Uint8Array): void {
    // The transport may reuse its bytes; what waits or is handled later must own them.
    this.#receive({ bytes: data.byteLength, text: null, data: data.slice(), value: undefined, type: null })
  }

  ping(): void {
    if (this.readyState < 2) this.#transport.ping()
  }

  pinged(): void {
    if (this.readyState >= 2) return
    this.#endUnless(this.#hub.controlFrame(this), 'message/size')
  }

  ponged(): void {
    if (this.readyState >= 2) return
    if (this.pongAwaited) this.pongAwaited = false
    else this.#endUnless(this.#hub.controlFrame(this), 'message/size')
  }

  violation(closeCode: number, detail: string): void {
    if (this.readyState >= 2) return
    const denial =
      closeCode === 1009
        ? deny('SALLY_MESSAGE_TOO_BIG', detail)
        : closeCode === 1008
          ? deny('SALLY_MESSAGE_FRAGMENTS', detail)
          : closeCode === 1007
            ? deny('SALLY_MESSAGE_NOT_UTF8', detail)
            : deny('SALLY_PROTOCOL_ERROR', detail)
    this.denial = denial
    this.readyState = 2
    this.#cutLater()
    this.#hub.denied(DENIALS[denial.code].control, denial, true, this)
  }

  closed(code: number): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#queue = null
    this.#held = null
    this.#heldBytes = 0
    this.#hub.ended(this, code)
    this.#abort?.abort()
    try {
      this.#delivery.closed?.(this, code)
    } catch (error) {
      this.#failed(error)
    }
  }

  // ——— through the door ———

  #receive(subject: MessageSubject): void {
    if (this.readyState >= 2) return
    this.lastMessageAt = this.#hub.now()
    this.#hub.received(subject.bytes)
    if (this.#busy || this.#queue !== null) this.#enqueue(subject)
    else this.#judge(subject)
  }

  get #busy(): boolean {
    return this.#judging || this.delayedUntil !== 0 || this.#full
  }

  #enqueue(subject: MessageSubject): void {
    this.#queue ??= []
    this.#queue.push(subject)
    this.#queued += subject.bytes
    const { bytes } = this.#hub.policy.message.size
    if (this.#queue.length > QUEUE_MOST || this.#queued > HARD_FACTOR * bytes + 65_536) {
      // A transport that goes on delivering after `pause` would be a way around every bound.
      this.end(deny('SALLY_MESSAGE_CONCURRENCY', 'the transport delivers although it is paused'), 'message/concurrency')
    }
  }

  #judge(subject: MessageSubject): void {
    const verdict = this.authenticated ? this.#hub.admitMessage(subject, this) : this.#judgeFirst(subject)
    if (!(verdict instanceof Promise)) {
      this.#settle(subject, verdict)
      return
    }
    this.#judging = true
    this.#transport.pause()
    void verdict.then(later => {
      this.#judging = false
      this.#settle(subject, later)
      this.#proceed()
    })
  }

  #judgeFirst(subject: MessageSubject): Verdict | Promise<Verdict> {
    const { unauthenticatedBytes } = this.#hub.policy.message.size
    if (subject.bytes > unauthenticatedBytes) {
      return deny('SALLY_MESSAGE_TOO_BIG', `the first message is ${subject.bytes} bytes, over ${unauthenticatedBytes}`)
    }
    if (subject.text === null) return deny('SALLY_AUTHENTICATION_FIRST', 'the first message is binary')
    return this.#hub.admitFirst(subject.text, this)
  }

  #settle(subject: MessageSubject, verdict: Verdict): void {
    if (this.readyState >= 2) return
    if (!this.authenticated) {
      if (verdict.pass) this.#authenticate()
      else this.end(verdict, null, 4401)
      return
    }
    if (verdict.pass) this.#dispatch(subject)
    else this.#refuse(subject, verdict)
  }

  #authenticate(): void {
    this.readyState = 1
    this.#transport.limit(this.#hub.policy.message.size.bytes)
    this.#transport.sendText(AUTHENTICATED)
    this.#hub.authenticated(this)
    const held = this.#held
    this.#held = null
    this.#heldBytes = 0
    for (const message of held ?? []) this.#transmit(message)
    this.#opened()
  }

  #refuse(subject: MessageSubject, denial: Denial): void {
    const row = DENIALS[denial.code]
    const { rate, format, strikes } = this.#hub.policy.message
    if (row.control === 'message/rate' && rate?.exceed === 'drop') return
    if (row.control === 'message/rate' && rate?.exceed === 'delay') {
      this.delayedUntil = this.#hub.now() + (denial.retryAfter ?? 1) * 1000
      this.#transport.pause()
      this.#putBack(subject)
      this.#hub.touch(this)
      return
    }
    if (row.action !== 'reply' || format?.data === 'binary') {
      this.#shut(denial, row.close ?? 1008)
      return
    }
    const now = this.#hub.now()
    if (now - this.#strikesSince > STRIKE_WINDOW_MS) {
      this.#strikesSince = now
      this.#strikes = 0
    }
    if (++this.#strikes > strikes) {
      this.end(deny('SALLY_MESSAGE_STRIKES', `${this.#strikes} refused messages within a minute`), 'message/schema')
      return
    }
    this.#transmit(JSON.stringify({ [this.#hub.policy.message.discriminator]: 'error', code: denial.code }))
  }

  #dispatch(subject: MessageSubject): void {
    let result: unknown
    try {
      result = this.#delivery.message(subject, this)
    } catch (error) {
      this.#handlerFailed(error)
      return
    }
    if (!isThenable(result)) return
    const handlers = (this.#concurrency ??= createConcurrency(this.#hub.handlers))
    if (handlers.enter() && !this.#full) {
      this.#full = true
      this.#transport.pause()
      const denial = deny('SALLY_MESSAGE_CONCURRENCY', `${handlers.running} handlers run`)
      this.#hub.denied('message/concurrency', denial, this.#hub.enforced('message/concurrency'), this)
    }
    const done = (): void => {
      if (handlers.leave()) this.#full = false
      this.#proceed()
    }
    result.then(done, (error: unknown) => {
      this.#handlerFailed(error)
      done()
    })
  }

  #failed(error: unknown): void {
    this.#hub.failed(error, this)
    try {
      this.#delivery.failed?.(error, this)
    } catch {
      // It failed while being told of a failure; the event stands.
    }
  }

  #handlerFailed(error: unknown): void {
    this.#failed(error)
    if (this.readyState !== 1 || this.#hub.policy.message.format?.data === 'binary') return
    this.#transmit(JSON.stringify({ [this.#hub.policy.message.discriminator]: 'error', code: 'SALLY_HANDLER_FAILED' }))
  }

  /** Takes up what waited, in order, and reads on once nothing waits. */
  #proceed(): void {
    while (this.#queue !== null && this.readyState < 2 && !this.#busy) {
      const subject = this.#queue[this.#head++]!
      this.#queued -= subject.bytes
      if (this.#head === this.#queue.length) {
        this.#queue = null
        this.#head = 0
      }
      this.#judge(subject)
    }
    if (this.#queue === null && this.readyState < 2 && !this.#busy && this.slowSince === 0) this.#transport.resume()
  }

  /** Puts a message back before all that wait. */
  #putBack(subject: MessageSubject): void {
    this.#queued += subject.bytes
    if (this.#queue === null) this.#queue = [subject]
    else if (this.#head > 0) this.#queue[--this.#head] = subject
    else this.#queue.unshift(subject)
  }

  /** The keeper calls it when a delay is over. */
  undelay(): void {
    this.delayedUntil = 0
    this.#proceed()
  }

  // ——— to the peer ———

  send(message: object | string): boolean {
    if (this.readyState >= 2) return false
    const ready = this.#checkOutbound(message)
    if (ready === null) return false
    if (this.authenticated) return this.#transmit(ready)
    const bytes = typeof ready === 'string' ? Buffer.byteLength(ready) : ready.byteLength
    if (this.#heldBytes + bytes > this.#hub.policy.lifetime.backpressure.bytes) return false
    this.#held ??= []
    this.#held.push(ready)
    this.#heldBytes += bytes
    return true
  }

  /** What may leave, serialised; null when `message/outbound` keeps it. */
  #checkOutbound(message: object | string): string | Uint8Array | null {
    const { outbound } = this.#hub
    if (outbound === null) {
      if (typeof message === 'string' || message instanceof Uint8Array) return message
      return JSON.stringify(message)
    }
    let value: unknown = message
    if (typeof message === 'string') {
      try {
        value = JSON.parse(message)
      } catch {
        value = null
      }
    }
    const result = outbound(value as object)
    if (result.ok) return JSON.stringify(result.value)
    const enforced = this.#hub.enforced('message/outbound')
    this.#hub.denied('message/outbound', deny('SALLY_OUTBOUND_INVALID', result.detail), enforced, this)
    if (enforced) return null
    return typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message)
  }

  #transmit(message: string | Uint8Array): boolean {
    if (this.readyState !== 1) return false
    if (typeof message === 'string') this.#transport.sendText(message)
    else this.#transport.sendBinary(message)
    this.sent(message.length)
    return true
  }

  /** Something went out, by us or past us: counts it, and holds back a peer that does not read. */
  sent(bytes: number): void {
    const now = this.#hub.now()
    this.lastMessageAt = now
    this.#hub.sent(bytes)
    const bound = this.#hub.policy.lifetime.backpressure.bytes
    const { bufferedAmount } = this.#transport
    if (bufferedAmount <= bound || this.readyState !== 1) return
    if (bufferedAmount > HARD_FACTOR * bound) {
      this.end(deny('SALLY_BACKPRESSURE', `more than ${HARD_FACTOR * bound} bytes wait for the peer`))
      if (this.denial !== null) this.#transport.terminate()
      return
    }
    if (this.slowSince === 0) {
      this.slowSince = now
      this.slowLookAt = now
      this.#transport.pause()
      this.#hub.touch(this)
    }
  }

  caughtUp(): void {
    this.#proceed()
  }

  // ——— its end ———

  recheck(): void {
    if (this.checking) return
    this.checking = true
    void this.#hub.recheck(this.attempt).then(found => {
      this.checking = false
      if (this.readyState >= 2) return
      const now = this.#hub.now()
      this.checkedAt = now
      if (!('pass' in found && found.pass === false)) {
        this.uncheckedSince = 0
        this.session = found as Session
        this.#hub.touch(this)
        return
      }
      const denial = found as Denial
      if (DENIALS[denial.code].http === 503) {
        if (this.uncheckedSince === 0) this.uncheckedSince = now
        this.#hub.denied('lifetime/session', denial, false, this)
        this.#hub.touch(this)
        return
      }
      this.end(deny('SALLY_LIFETIME_INVALID', denial.detail), 'lifetime/session')
    })
  }

  /** Ends the connection for a control; told of once. In report mode of that control nothing happens to it. */
  end(denial: Denial, control: ControlId | null = DENIALS[denial.code].control, code?: number): void {
    if (this.readyState >= 2) return
    const row = DENIALS[denial.code]
    const enforced = control === null || this.#hub.enforced(control)
    if (control !== null) this.#hub.denied(control, denial, enforced, this)
    if (enforced) this.#shut(denial, code ?? row.close ?? 1008)
  }

  #endUnless(verdict: Verdict, control: ControlId): void {
    if (!verdict.pass) this.end(verdict, control)
  }

  #shut(denial: Denial, code: number): void {
    this.denial = denial
    this.readyState = 2
    this.#queue = null
    if (DENIALS[denial.code].action === 'terminate' || code === 1006) {
      this.#transport.terminate()
      return
    }
    this.#transport.close(code, denial.code)
    this.#transport.resume()
    this.#cutLater()
  }

  close(code = 1000, reason = ''): void {
    if (!isSendable(code)) {
      throw new RangeError(`close code ${code} may not be sent: use 1000, 1001, 1003, 1007–1014 or 3000–4999`)
    }
    if (Buffer.byteLength(reason) > 123) throw new RangeError('a close reason is at most 123 bytes of UTF-8')
    if (this.readyState >= 2) return
    this.readyState = 2
    this.#queue = null
    this.#transport.close(code, reason)
    this.#transport.resume()
    this.#cutLater()
  }

  terminate(): void {
    if (this.readyState === 3) return
    this.readyState = 2
    this.#queue = null
    this.#transport.terminate()
  }

  #cutLater(): void {
    this.cutAt = this.#hub.now() + CLOSE_PATIENCE_MS
    this.#hub.touch(this)
  }
}

/** RFC 6455 §7.4: what an endpoint may put into a close frame. */
function isSendable(code: number): boolean {
  return (
    code === 1000 || code === 1001 || code === 1003 || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999)
  )
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
