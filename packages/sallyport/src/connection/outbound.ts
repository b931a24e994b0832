import type { Attempt } from '../model/attempt.ts'
import { HARD_FACTOR } from '../controls/lifetime/backpressure.ts'
import { type ControlId, type Denial, deny } from '../model/verdict.ts'
import type { Session } from '../model/session.ts'
import type { GuardServices } from './services.ts'
import type { KernelQueue } from '../model/kernel-queue.ts'
import { textOf, unsent } from './outbound-text.ts'
import { NOTHING_RARE, RareState } from './rare-state.ts'
import type { Transport } from './transport.ts'

/** Bits of `flags`, above those of HOLD: an idle connection is one of thousands, and a field each would be eight bytes. */
export const FLAG: Readonly<
  Record<
    'judging' | 'takingUp' | 'pongAwaited' | 'checking' | 'announced' | 'unjudged' | 'replying' | 'ahead' | 'paused',
    number
  >
> = Object.freeze({
  /** A message is being judged or handled, in this very call. */
  judging: 32,
  /** The backlog is being taken up: who releases from within a handler leaves the rest to that. */
  takingUp: 64,
  pongAwaited: 128,
  checking: 256,
  /** The app knows the connection, so it hears when it ends. */
  announced: 512,
  /** The answer to a heartbeat has not left yet. */
  replying: 1024,
  /** It came under a policy whose handshake door has not said yes to it. */
  unjudged: 2048,
  /** As much was read ahead as may: the socket is not read. */
  paused: 4096,
  /** Much was sent before the last ping, and no pong has shown that the peer has read it. */
  ahead: 1 << 16,
})

/** Above all of these `flags` counts what was sent since the last ping, in quarters of a KiB and up to {@link MUCH}. */
const SENT_SHIFT = 17
const MUCH = 64

const RARE_KEYS = Object.keys(NOTHING_RARE) as readonly (keyof RareState)[]

/** What leaves a connection: checked, held back until it is authenticated, and bounded while the peer does not read. */
export abstract class OutboundHalf {
  attempt: Attempt
  readyState: 0 | 1 | 2 | 3
  readonly openedAt: number
  lastMessageAt: number
  /** When the message at hand came to be judged, in ms since the epoch. */
  judgedAt = 0

  // No private methods here and in what derives from it: each class that has some costs each connection a slot.
  protected services: GuardServices
  protected readonly transport: Transport
  protected flags = 0
  #rare: RareState = NOTHING_RARE

  constructor(
    services: GuardServices,
    attempt: Attempt & { readonly session: Session },
    transport: Transport,
    now: number,
  ) {
    this.services = services
    this.attempt = attempt
    this.transport = transport
    this.openedAt = now
    this.lastMessageAt = now
    this.readyState = attempt.ticket === 'deferred' ? 0 : 1
  }

  protected abstract touch(): void
  abstract end(denial: Denial, control?: ControlId): void
  protected abstract tell(control: ControlId, denial: Denial, enforced: boolean): void
  /** Stops reading from a peer that does not read. */
  protected abstract holdSlow(): void

  /** To be read alone. */
  protected get rare(): Readonly<RareState> {
    return this.#rare
  }

  /** To be written to. */
  protected ownRare(): RareState {
    if (this.#rare === NOTHING_RARE) this.#rare = new RareState()
    return this.#rare
  }

  /** Drops the connection's own record where it holds only defaults, so that a reload does not cost each connection one. */
  protected dropRare(): void {
    const own = this.#rare
    for (const key of RARE_KEYS) if (own[key] !== NOTHING_RARE[key]) return
    this.#rare = NOTHING_RARE
  }

  protected flag(bit: number, on: boolean): void {
    if (on) this.flags |= bit
    else this.flags &= ~bit
  }

  get slowSince(): number {
    return this.#rare.slowSince
  }
  set slowSince(at: number) {
    if (at !== this.#rare.slowSince) this.ownRare().slowSince = at
  }
  get slowLookAt(): number {
    return this.#rare.slowLookAt
  }
  set slowLookAt(at: number) {
    if (at !== this.#rare.slowLookAt) this.ownRare().slowLookAt = at
  }

  get slowUntil(): number {
    return this.#rare.slowUntil
  }
  set slowUntil(at: number) {
    if (at !== this.#rare.slowUntil) this.ownRare().slowUntil = at
  }
  get slowTaken(): number {
    return this.#rare.slowTaken
  }
  set slowTaken(bytes: number) {
    if (bytes !== this.#rare.slowTaken) this.ownRare().slowTaken = bytes
  }
  get slowBuffered(): number {
    return this.#rare.slowBuffered
  }
  set slowBuffered(bytes: number) {
    if (bytes !== this.#rare.slowBuffered) this.ownRare().slowBuffered = bytes
  }
  get pongUntil(): number {
    return this.#rare.pongUntil
  }
  set pongUntil(at: number) {
    if (at !== this.#rare.pongUntil) this.ownRare().pongUntil = at
  }
  get pongLookAt(): number {
    return this.#rare.pongLookAt
  }
  set pongLookAt(at: number) {
    if (at !== this.#rare.pongLookAt) this.ownRare().pongLookAt = at
  }
  get pongChanges(): number {
    return this.#rare.pongChanges
  }
  set pongChanges(changes: number) {
    if (changes !== this.#rare.pongChanges) this.ownRare().pongChanges = changes
  }

  get isBehindMessages(): boolean {
    return (this.flags & FLAG.ahead) !== 0
  }

  /** What was sent so far is ahead of a ping that is sent now. */
  protected markPing(): void {
    if (this.flags >>> SENT_SHIFT >= MUCH) this.flags |= FLAG.ahead
    this.flags &= (1 << SENT_SHIFT) - 1
  }

  kernelQueue(): KernelQueue | null {
    return this.transport.kernelQueue?.() ?? null
  }

  get bufferedAmount(): number {
    return this.transport.bufferedAmount + this.#rare.outgoingBytes
  }

  send(message: object | string): boolean {
    if (this.readyState >= 2) return false
    const checked = this.checkOutbound(message)
    if (checked === null || checked === undefined) return unsent(message)
    if (this.readyState === 1 && !isRaw(checked)) {
      const bytes = this.transport.sendJson?.(checked) ?? -1
      if (bytes >= 0) {
        this.sent(bytes)
        return true
      }
    }
    const ready = isRaw(checked) ? checked : textOf(checked, this.services.policy.message.format?.bigIntegers)
    if (this.readyState !== 0) return this.transmit(ready)
    const bytes = typeof ready === 'string' ? Buffer.byteLength(ready) : ready.byteLength
    const rare = this.ownRare()
    if (rare.outgoingBytes + bytes > this.services.policy.lifetime.backpressure.bytes) return false
    rare.outgoing ??= []
    rare.outgoing.push(ready)
    rare.outgoingBytes += bytes
    return true
  }

  /** Says what `message/outbound` would refuse of a message that leaves past it. */
  reportOutbound(message: string | Uint8Array): void {
    if (this.readyState < 2) this.checkOutbound(message)
  }

  /** What may leave; null when `message/outbound` keeps it. */
  private checkOutbound(message: object | string): object | string | null | undefined {
    const { outbound } = this.services
    if (outbound === null) return message
    if (message === null || message === undefined) return message
    const result = outbound(message)
    if (result.ok) return result.value
    const enforced = this.services.enforced('message/outbound')
    this.tell('message/outbound', deny('SALLY_OUTBOUND_INVALID', result.detail), enforced)
    return enforced || this.readyState >= 2 ? null : result.given
  }

  /**
   * Whether bytes that no schema describes may leave: a close reason, the payload of a ping or a pong. Where
   * `message.outbound` is declared they may not, and an event says so.
   */
  mayLeave(what: 'close reason' | 'ping' | 'pong', bytes: number): boolean {
    if (bytes === 0 || this.services.outbound === null) return true
    const enforced = this.services.enforced('message/outbound')
    const detail = `a ${what} bears ${bytes} bytes that no schema describes; send a declared message instead`
    this.tell('message/outbound', deny('SALLY_OUTBOUND_INVALID', detail), enforced)
    return !enforced
  }

  protected transmit(message: string | Uint8Array): boolean {
    if (this.readyState !== 1) return false
    if (typeof message === 'string') this.transport.sendText(message)
    else this.transport.sendBinary(message)
    this.sent(message.length)
    return true
  }

  /** Something went out, by us or past us: counts it, and holds back a peer that does not read. */
  sent(bytes: number, messages = 1): void {
    const { services } = this
    // A reply leaves with the clock of its message: reading it costs as much as a control.
    const now = (this.flags & FLAG.judging) !== 0 ? this.judgedAt : services.now()
    if (this.flags >>> SENT_SHIFT < MUCH) this.flags += Math.min(MUCH, (bytes >>> 8) + 1) << SENT_SHIFT
    this.lastMessageAt = now
    services.sent(bytes, messages)
    const bound = services.policy.lifetime.backpressure.bytes
    const { bufferedAmount } = this.transport
    if (bufferedAmount <= bound || this.readyState !== 1) return
    // What waited before this message counts: how long a message is the app decides, how much waits the peer.
    if (bufferedAmount - bytes > HARD_FACTOR * bound) {
      this.end(deny('SALLY_BACKPRESSURE', { reason: 'full', bytes: HARD_FACTOR * bound }))
      if (!this.isOpen()) {
        // A close frame would stand behind all that is not read.
        this.transport.terminate()
        return
      }
    }
    if (this.slowSince !== 0) return
    this.slowSince = now
    this.slowLookAt = now
    if (services.enforced('lifetime/backpressure')) this.holdSlow()
    this.touch()
  }

  protected isOpen(): boolean {
    return this.readyState === 1
  }

  /** Sends what was held back, in order. */
  protected sendHeld(): void {
    const { outgoing } = this.#rare
    this.dropHeld()
    for (const message of outgoing ?? []) this.transmit(message)
  }

  protected dropHeld(): void {
    if (this.#rare.outgoing === null) return
    const rare = this.ownRare()
    rare.outgoing = null
    rare.outgoingBytes = 0
  }
}

/** Whether it is sent as it is, rather than serialised. */
function isRaw(message: object | string): message is string | Uint8Array {
  return typeof message === 'string' || message instanceof Uint8Array
}
