import type { Attempt } from '../model/attempt.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { createConcurrency } from '../controls/message/concurrency.ts'
import type { MessageSubject } from '../controls/message/message-control.ts'
import { DENIALS } from '../policy/denials.ts'
import type { DenialCode } from '../model/denials.ts'
import { kindOf } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'
import { type ControlId, type Denial, deny } from '../model/verdict.ts'
import type { Session } from '../model/session.ts'
import { checkClose } from './close-frame.ts'
import type { Connection } from './connection.ts'
import type { Delivery, GuardServices } from './services.ts'
import { HOLD } from './waiting.ts'
import { InboundHalf } from './inbound.ts'
import { FLAG } from './outbound.ts'
import type { Transport } from './transport.ts'

/** How long a peer has to answer a close frame before it is cut, in ms. */
const CLOSE_PATIENCE_MS = 5_000

/**
 * What faces the app: what it may ask of a connection, what it is told and how it is called, and how either side's end
 * is carried out.
 */
export abstract class AppSide extends InboundHalf implements Connection {
  data: unknown = undefined

  readonly #delivery: Delivery

  constructor(
    services: GuardServices,
    attempt: Attempt & { readonly session: Session },
    transport: Transport,
    delivery: Delivery,
  ) {
    super(services, attempt, transport, services.now())
    this.#delivery = delivery
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
  /** Why it was ended, when a control did. */
  get denial(): Denial | null {
    return this.rare.denial
  }

  // ——— what the app is told, and how it is called ———

  /** Tells the app, once the transport is ready to send. */
  begin(): void {
    if (this.readyState === 1) this.opened()
  }

  protected opened(): void {
    this.flags |= FLAG.announced
    // An app that could not greet a connection has not set it up: it must not run half set up.
    this.callApp(
      () => this.#delivery.open?.(this),
      () => this.close(1011),
    )
  }

  protected dispatch(subject: MessageSubject): void {
    let running: PromiseLike<unknown>
    try {
      const result = this.#delivery.message(subject, this)
      if (!isThenable(result)) return
      running = result
    } catch (error) {
      this.handlerFailed(error)
      return
    }
    if (this.#delivery.counts === false) {
      void Promise.resolve(running).catch((error: unknown) => this.handlerFailed(error))
      return
    }
    const handlers = (this.ownRare().concurrency ??= createConcurrency(this.services.handlers))
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
    if (this.readyState >= 2) {
      // The peer has closed: no more handlers run than may.
      if (this.services.enforced('message/concurrency')) this.holdFor(HOLD.full)
      return
    }
    if (this.isHeldFor(HOLD.full)) return
    const denial = deny('SALLY_MESSAGE_CONCURRENCY', `${running} handlers run`)
    if (!this.services.enforced('message/concurrency')) {
      this.report('message/concurrency', denial)
      return
    }
    this.holdFor(HOLD.full)
    this.tell('message/concurrency', denial, true)
  }

  background(task: () => unknown): boolean {
    if (typeof task !== 'function') {
      throw new TypeError(
        `background takes a function, not ${kindOf(task)}: write background(() => stream(connection))`,
      )
    }
    if (this.readyState !== 1) return false
    const rare = this.ownRare()
    if (rare.tasks >= this.services.policy.message.concurrency.background) {
      const denial = deny('SALLY_MESSAGE_CONCURRENCY', `${rare.tasks} background tasks run`)
      if (this.services.enforced('message/concurrency')) {
        this.tell('message/concurrency', denial, true)
        return false
      }
      this.report('message/concurrency', denial)
    }
    rare.tasks++
    void this.runTask(task)
    return true
  }

  private async runTask(task: () => unknown): Promise<void> {
    try {
      await task()
    } catch (error) {
      this.handlerFailed(error)
    } finally {
      this.ownRare().tasks--
    }
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
    this.services.failed(thrown, this)
    try {
      const result: unknown = this.#delivery.failed?.(thrown, this)
      if (isThenable(result)) Promise.resolve(result).catch(() => undefined)
    } catch {
      // It failed while being told of a failure; the event stands.
    }
  }

  private handlerFailed(error: unknown): void {
    this.appFailed(error)
    if (this.services.policy.message.format?.data === 'binary' || !this.services.enforced('message/concurrency')) return
    this.replyError('SALLY_HANDLER_FAILED')
  }

  protected replyError(code: DenialCode): void {
    this.transmit(JSON.stringify({ [this.services.policy.message.discriminator]: 'error', code }))
  }

  protected ended(code: number): void {
    if ((this.flags & FLAG.announced) !== 0) this.callApp(() => this.#delivery.closed?.(this, code))
  }

  // ——— its end ———

  protected report(control: ControlId, denial: Denial): void {
    const told = (this.ownRare().told ??= new Set())
    if (told.has(denial.code)) return
    told.add(denial.code)
    this.tell(control, denial, false)
  }

  /** From here on nothing passes; before anybody is told, who might call back. */
  protected leaveFor(denial: Denial | null): void {
    if (denial !== this.rare.denial) this.ownRare().denial = denial
    this.readyState = 2
    this.dropBacklog()
    this.dropHeld()
    this.endAhead()
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
    const left = this.mayLeave('close reason', reason.length) ? reason : ''
    this.leaveFor(null)
    this.startClose(code, left)
  }

  terminate(): void {
    if (this.readyState === 3) return
    this.leaveFor(this.denial)
    this.transport.terminate()
  }

  protected cutLater(): void {
    if (this.readyState === 3) return
    this.ownRare().cutAt = this.services.now() + CLOSE_PATIENCE_MS
    this.touch()
  }
}
