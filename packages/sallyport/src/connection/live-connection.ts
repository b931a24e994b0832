import { spreadOf } from '../controls/lifetime/spread.ts'
import type { Attempt } from '../model/attempt.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import type { KernelQueue } from '../model/kernel-queue.ts'
import type { Session } from '../model/session.ts'
import { type ControlId, type Denial, deny } from '../model/verdict.ts'
import { isSilent, ping, pinged, ponged } from './control-frames.ts'
import { caughtUp, clockIs, lookUnread, undelay } from './deadlines.ts'
import { background, tellAppOpen } from './dispatch.ts'
import { end, onceOver } from './ending.ts'
import { messageBytes } from './first-message.ts'
import { HOLD } from './flags.ts'
import { boundWaiting, hold, receiveBinary, receiveText, receiveUtf8, release } from './inbound.ts'
import { noteSent, send } from './outbound.ts'
import { checkOutbound, mayLeave } from './outbound-check.ts'
import { noteKept } from './reading.ts'
import { recheck } from './recheck.ts'
import { strike } from './refused-message.ts'
import type { Delivery } from './services.ts'
import { ConnectionRecord, type ConnectionState, type Services } from './state.ts'
import type { Inlet, Transport } from './transport.ts'

/**
 * One connection between its transport and the app. Every message goes through the door in order. After a denial has
 * ended the connection, nothing is delivered, sent or counted.
 *
 * It extends its record, so that the app, the transport, the keeper and the controls hold one object. A second object
 * beside the record would cost 40 bytes a connection: 32 for itself, and 8 for the reference back (heap of 10^6 of
 * them, Node 24). `npm run bench:memory` measures 2 990 bytes for an idle connection this way. With five classes in a
 * row it was 3 260.
 */
export class LiveConnection extends ConnectionRecord implements ConnectionState, Required<Inlet> {
  constructor(
    services: Services,
    attempt: Attempt & { readonly session: Session },
    transport: Transport,
    delivery: Delivery,
  ) {
    super(services, attempt, transport, delivery)
    transport.limit(messageBytes(this))
  }

  // ——— for the app ———

  get id(): string {
    return this.attempt.id
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
  get bufferedAmount(): number {
    return this.transport.bufferedAmount + this.rare.outgoingBytes
  }
  get signal(): AbortSignal {
    const rare = this.ownRare()
    if (rare.abort === null) {
      rare.abort = new AbortController()
      if (this.readyState === 3 || rare.denial !== null) rare.abort.abort()
    }
    return rare.abort.signal
  }
  send(message: object | string): boolean {
    return send(this, message)
  }
  background(task: () => unknown): boolean {
    return background(this, task)
  }
  close(code = 1000, reason = ''): void {
    end(this, { kind: 'closed', closeCode: code, reason })
  }
  terminate(): void {
    end(this, { kind: 'cut' })
  }

  // ——— for the ways in ———

  /** The transport is ready to send. Tells the app. */
  begin(): void {
    if (this.readyState === 1) tellAppOpen(this)
  }
  hold(): void {
    hold(this)
  }
  release(): void {
    release(this, HOLD.taken)
  }
  /** A message left without `send`. */
  sent(bytes: number, messages = 1): void {
    noteSent(this, bytes, messages)
  }
  mayLeave(what: 'close reason' | 'ping' | 'pong', bytes: number): boolean {
    return mayLeave(this, what, bytes)
  }
  /** Reports what `message/outbound` would refuse of a message that leaves without `send`. */
  reportOutbound(message: string | Uint8Array): void {
    if (this.readyState < 2) checkOutbound(this, message)
  }
  strike(): void {
    strike(this)
  }
  boundWaiting(messages: number, bytes: number): void {
    boundWaiting(this, messages, bytes)
  }
  onceOver(over: () => void): void {
    onceOver(this, over)
  }

  // ——— for the transport ———

  get silent(): boolean {
    return isSilent(this)
  }
  text(text: string, bytes: number): void {
    receiveText(this, text, bytes)
  }
  utf8(bytes: Buffer, start: number, stop: number, ascii: boolean): void {
    receiveUtf8(this, bytes, start, stop, ascii)
  }
  binary(bytes: Uint8Array): void {
    receiveBinary(this, bytes)
  }
  kept(bytes: number): void {
    noteKept(this, bytes)
  }
  pinged(): void {
    pinged(this)
  }
  ponged(): void {
    ponged(this)
  }
  violation(closeCode: number, detail: string): void {
    end(this, { kind: 'violation', closeCode, detail })
  }
  closing(): void {
    end(this, { kind: 'peer' })
  }
  closed(closeCode: number): void {
    end(this, { kind: 'gone', closeCode })
  }

  // ——— for the controls and the keeper ———

  get request(): HandshakeRequest {
    return this.attempt.request
  }
  get authenticated(): boolean {
    return this.readyState !== 0
  }
  get takesBytes(): boolean {
    return this.delivery.takesBytes === true
  }
  get spread(): number {
    return spreadOf(this.attempt.id)
  }
  get handling(): boolean {
    return (this.rare.concurrency?.running ?? 0) > 0 || (this.flags & HOLD.judged) !== 0
  }
  get midFrame(): boolean {
    return this.transport.midFrame ?? false
  }
  get bytesRead(): number {
    return this.transport.bytesRead ?? 0
  }
  kernelQueue(): KernelQueue | null {
    return this.transport.kernelQueue?.() ?? null
  }
  ping(): void {
    ping(this)
  }
  recheck(): void {
    recheck(this)
  }
  caughtUp(): void {
    caughtUp(this)
  }
  undelay(): void {
    undelay(this)
  }
  clockIs(now: number): void {
    clockIs(this, now)
  }
  lookUnread(): void {
    lookUnread(this)
  }
  end(denial: Denial, control?: ControlId): void {
    end(this, control === undefined ? { kind: 'denied', denial } : { kind: 'denied', denial, control })
  }
  /**
   * Called for the greatest holder of read bytes when a bound is exceeded. Ends the connection, so that it holds
   * nothing.
   */
  evict(): void {
    const denial = deny('SALLY_MESSAGE_CONCURRENCY', { reason: 'waiting', bytes: this.aheadBytes })
    end(this, { kind: 'bound', denial, closeCode: 1013 })
  }
}
