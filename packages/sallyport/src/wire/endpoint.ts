import { CLOSE_PATIENCE_MS, closePayload } from './close.ts'
import type { Decoder } from './decoder.ts'
import { deflateMessage, inflateMessage } from './deflate.ts'
import type { WireFault } from './faults.ts'
import type { EndpointDeflate, EndpointRole, WireLimits } from './limits.ts'
import { FIN, OPCODE, RSV1 } from './opcode.ts'
import type { WireSink } from './sink.ts'
import { borrowDecoder, returnDecoder } from './spare-decoders.ts'

/** After a fault a server reads and drops input for this long, so that the peer can read the close frame; in ms. */
const LINGER_MS = 1000
/** A peer that leaves this many bytes unread gets no pong for its pings. */
const PONG_BOUND_BYTES = 65_536
const NOTHING = new Uint8Array(0)
const PEER = { server: 'client', client: 'server' } as const

/**
 * One end of a WebSocket connection, without its socket: what RFC 6455 §5–§7 ask of an endpoint. Bytes come in by
 * `receive`; frames go out by `write`, and messages by the methods of `WireSink`. Sockets and timers belong to the class
 * that extends it.
 *
 * A base class and no part: a second object would cost each idle connection its header and two references.
 */
export abstract class Endpoint implements WireSink {
  readonly #limits: WireLimits
  readonly #deflate: EndpointDeflate | null
  /** Held only while a frame or message is incomplete: most connections are silent most of the time. */
  #decoder: Decoder | null = null
  #messageBytes: number
  #paused = false
  /** What was received while paused. */
  #rest: Buffer | null = null
  #state: 'open' | 'closing' | 'ending' | 'closed' = 'open'

  constructor(limits: WireLimits, deflate: EndpointDeflate | null) {
    this.#limits = limits
    this.#deflate = deflate
    this.#messageBytes = limits.messageBytes
  }

  /** The same for all objects of a class: on the prototype it costs a connection nothing. */
  abstract get role(): EndpointRole

  // Out: what the class that has the socket provides.

  abstract get bufferedAmount(): number
  /** Writes one frame. `first` is its first byte; the payload is `payload[start..end)`. */
  protected abstract write(first: number, payload: Uint8Array, start: number, end: number): void
  /** Writes a whole text message. */
  protected abstract writeText(text: string): void
  /** Hands all that was written to the socket. True if none of it waits there. */
  protected abstract sendAll(): boolean
  /** Ends the output. With `cuts` the connection is cut once all was sent; in any case after `patienceMs`. */
  protected abstract endOutput(cuts: boolean, patienceMs: number): void
  /** Cuts the connection after `ms`. */
  protected abstract cutAfter(ms: number): void
  /** Cuts the connection now. */
  protected abstract cut(): void
  protected abstract stopReading(): void
  protected abstract readOn(): void
  /** Calls `deliverRest` soon, never within the call. */
  protected abstract deliverLater(): void
  /** Whether the peer has ended its output. */
  protected abstract get inputEnded(): boolean

  abstract text(bytes: Buffer, start: number, end: number, ascii: boolean): void
  abstract binary(bytes: Buffer, start: number, end: number): void
  abstract ponged(): void
  /** Whether nothing may be sent yet, not even a pong. */
  protected abstract get silent(): boolean
  /** A ping came; its pong is written already, where one is due. */
  protected abstract pingReceived(): void
  /** So many bytes were received and wait here, since it was paused. */
  protected abstract keeps(bytes: number): void
  /** The close frame of the peer came, and its answer is written. */
  protected abstract closeReceived(code: number, reason: string): void
  /** The reason in the close frame that answers a fault. */
  protected abstract faultReason(fault: WireFault): string
  /** The peer broke the protocol or a bound. */
  protected abstract faultFound(fault: WireFault): void
  /** For a client: the server ended its output without a close frame. */
  protected abstract lost(): void
  /** The connection is gone. Called once. */
  protected abstract over(): void

  // In: from the socket.

  /**
   * Takes received bytes. With `owned` the endpoint may keep the memory. Otherwise the caller reuses it after the call.
   *
   * @returns false while something waits here, because the endpoint is paused
   */
  receive(chunk: Buffer, start: number, end: number, owned: boolean): boolean {
    if (this.#state === 'ending' || this.#state === 'closed') return true
    const taken = this.#rest === null && !this.#paused ? this.#push(chunk, start, end) : start
    if (taken < end) {
      const left = chunk.subarray(taken, end)
      if (this.#rest !== null) this.#rest = Buffer.concat([this.#rest, left])
      else this.#rest = owned ? left : Buffer.from(left)
      this.keeps(this.#rest.length)
    }
    return this.#rest === null
  }

  #push(chunk: Buffer, start: number, end: number): number {
    const decoder = this.#decoder ?? this.#borrow()
    const taken = decoder.push(chunk, start, end)
    if (decoder.idle) {
      this.#decoder = null
      returnDecoder(PEER[this.role], decoder)
    }
    return taken
  }

  #borrow(): Decoder {
    const inflate = this.#deflate === null ? undefined : inflateMessage
    const decoder = borrowDecoder(PEER[this.role], this.#limits, inflate, this)
    decoder.messageBytes = this.#messageBytes
    this.#decoder = decoder
    return decoder
  }

  /** The peer sends no more. */
  ended(): void {
    // For a backend, the messages from before its end are delivered first. For a client that is gone, no receiver needs
    // them.
    if (this.role === 'client' && this.#rest !== null) return
    this.#rest = null
    this.#finish()
  }

  /** The connection is gone. */
  gone(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#rest = null
    this.over()
  }

  /** Takes what was received while paused. */
  deliverRest(): void {
    const rest = this.#rest
    if (rest === null || this.#paused) return
    this.#rest = null
    if (!this.receive(rest, 0, rest.length, true)) return
    this.keeps(0)
    if (this.role === 'client' && this.inputEnded) this.#finish()
    else if (!this.#paused) this.readOn()
  }

  // In: from the decoder.

  pinged(bytes: Buffer, start: number, end: number): void {
    // RFC 6455 §5.5.3: a pong for each, unless the peer closes, does not read what it has, or has proven nothing yet.
    if (this.#state === 'open' && this.bufferedAmount < PONG_BOUND_BYTES && !this.silent) {
      this.write(FIN | OPCODE.pong, bytes, start, end)
    }
    this.pingReceived()
  }

  closing(code: number, reason: string): void {
    // RFC 6455 §5.5.1: the answer echoes the code; none is due when ours went first.
    if (this.#state === 'open') this.#writeClose(code, '')
    if (this.role === 'client') this.#state = 'closing'
    this.closeReceived(code, reason)
    // RFC 6455 §7.1.1: the server ends the connection; the client waits for that.
    if (this.role === 'client') this.endOutput(false, CLOSE_PATIENCE_MS)
    else this.#finish()
  }

  fault(fault: WireFault): void {
    if (this.#state === 'open') this.#writeClose(fault.closeCode, this.faultReason(fault))
    const isServer = this.role === 'server'
    this.#state = isServer ? 'closing' : 'ending'
    this.faultFound(fault)
    // A server that cuts at once would reset the connection, and the client might not read why.
    this.endOutput(!isServer, isServer ? LINGER_MS : CLOSE_PATIENCE_MS)
    if (isServer) this.readOn()
  }

  // In: from the owner of the connection.

  protected get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isPaused(): boolean {
    return this.#paused
  }

  /** Whether what it sends may be compressed. */
  get compresses(): boolean {
    return this.#deflate !== null
  }

  /** Whether a frame of the peer has begun and is incomplete. */
  get midFrame(): boolean {
    return this.#decoder?.midFrame ?? false
  }

  /** The same for a message or a frame. */
  get midway(): boolean {
    return this.#decoder?.midway ?? false
  }

  /** Sends a text message. A lone surrogate becomes U+FFFD. */
  sendText(text: string): void {
    if (this.#state !== 'open') return
    if (this.#deflate !== null && Buffer.byteLength(text) >= this.#deflate.threshold) {
      this.#writeDeflated(OPCODE.text, Buffer.from(text), this.#deflate)
    } else this.writeText(text)
  }

  sendBinary(bytes: Uint8Array): void {
    if (this.#state !== 'open') return
    if (this.#deflate !== null && bytes.length >= this.#deflate.threshold) {
      this.#writeDeflated(OPCODE.binary, bytes, this.#deflate)
    } else this.write(FIN | OPCODE.binary, bytes, 0, bytes.length)
  }

  /** Sends `bytes[start..end)`, which is UTF-8 already, as a text message. */
  sendUtf8(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== 'open') return
    if (this.#deflate !== null && end - start >= this.#deflate.threshold) {
      this.#writeDeflated(OPCODE.text, bytes.subarray(start, end), this.#deflate)
    } else this.write(FIN | OPCODE.text, bytes, start, end)
  }

  ping(): void {
    if (this.#state === 'open') this.write(FIN | OPCODE.ping, NOTHING, 0, 0)
  }

  /** A pong that answers no ping, and needs no answer (RFC 6455 §5.5.3). */
  pong(): void {
    if (this.#state === 'open') this.write(FIN | OPCODE.pong, NOTHING, 0, 0)
  }

  /** Delivers no more messages; what comes is kept. */
  pause(): void {
    // After the end of the stream what still comes is dropped, paused or not.
    this.#paused = this.#decoder?.ended !== true
    this.#decoder?.pause()
    this.stopReading()
  }

  resume(): void {
    this.#paused = false
    this.#decoder?.resume()
    if (this.#rest === null) this.readOn()
    // Never within the call: what was received is delivered as the socket would deliver it.
    else this.deliverLater()
  }

  /** Starts the closing handshake (RFC 6455 §7.1.2); a peer that does not answer is cut. */
  close(code: number, reason: string): void {
    if (this.#state !== 'open') return
    this.#writeClose(code, reason)
    this.#state = 'closing'
    this.cutAfter(CLOSE_PATIENCE_MS)
  }

  /** Cuts the connection at once. */
  terminate(): void {
    if (this.#state === 'closed') return
    this.#state = 'ending'
    this.#rest = null
    this.cut()
  }

  /** Sets the greatest message from now on, in bytes. */
  limit(maxMessageBytes: number): void {
    this.#messageBytes = maxMessageBytes
    if (this.#decoder !== null) this.#decoder.messageBytes = maxMessageBytes
  }

  #writeDeflated(opcode: number, payload: Uint8Array, { windowBits }: EndpointDeflate): void {
    const deflated = deflateMessage(payload, windowBits)
    this.write(FIN | RSV1 | opcode, deflated, 0, deflated.length)
  }

  #writeClose(code: number, reason: string): void {
    const payload = closePayload(code, reason)
    this.write(FIN | OPCODE.close, payload, 0, payload.length)
  }

  /** The closing handshake is done, or the peer sends no more. */
  #finish(): void {
    const state = this.#state
    if (state === 'closed') return
    if (this.role === 'client') {
      this.#state = 'ending'
      if (state === 'open') this.lost()
      this.cut()
    } else if (state !== 'ending') {
      this.#state = 'ending'
      // All was read and all is written: closing now sends FIN, and waits for nobody.
      if (this.sendAll()) this.cut()
      else this.endOutput(true, CLOSE_PATIENCE_MS)
    }
  }
}
