import type { Socket } from 'node:net'
import { kernelQueueOf } from '../node/kernel-queue.ts'
import type { KernelQueue } from '../model/kernel-queue.ts'
import { isReset, startHandle, stopHandle } from '../node/socket-handle.ts'
import type { Inlet, Transport } from '../connection/transport.ts'
import { violationOf } from '../connection/violation.ts'
import {
  ABNORMAL,
  closePayload,
  Decoder,
  deflateMessage,
  FIN,
  inflateMessage,
  OPCODE,
  RSV1,
  textFrameRoom,
  type WireFault,
  type WireLimits,
  type WireSink,
} from '../wire/index.ts'
import { sendBytes, sendFrame, sendLatin1, sendTextFrame, unsentBytes } from '../node/frame-writer.ts'
import { sendJsonFrame, tellTextLength } from '../node/json-frame.ts'
import { beginTurn, endTurn, flush, OUTBOX_BYTES } from '../node/write-buffer.ts'
import { readFrom, readLess } from '../node/shared-read.ts'

/** How a connection compresses what it sends, once permessage-deflate was agreed. */
export interface EngineDeflate {
  /** Messages below this many bytes go out as they are. */
  readonly threshold: number
  readonly windowBits: number
}

/** How long a peer has to answer a close frame before it is cut, in ms. */
const CLOSE_TIMEOUT_MS = 5000
/** How long the input of a peer that broke the protocol is thrown away, so that it can read why, in ms. */
const LINGER_MS = 1000
/** A peer that lets this many bytes wait gets no pong for its pings. */
const PONG_BOUND_BYTES = 65_536

/** An idle decoder, for the next socket that reads: one turn runs at a time, so that one is nearly always enough. */
let spare: Decoder | null = null

/**
 * One server connection over a socket: what RFC 6455 §5–§7 ask of an endpoint, between the wire and the guard. It is
 * the transport that the guard sends by and the sink of its own decoder.
 */
export class EngineSocket implements Transport, WireSink {
  readonly #socket: Socket
  readonly #limits: WireLimits
  /** Its own only while a message is under way: most connections are silent at most times. */
  #decoder: Decoder | null = null
  #messageBytes: number
  #paused = false
  readonly #deflate: EngineDeflate | null
  #inlet: Inlet | null = null
  /** What was read and not taken while paused. */
  #rest: Buffer | null = null
  #state: 'open' | 'closing' | 'ending' | 'closed' = 'open'
  #received: number = ABNORMAL
  #timer: NodeJS.Timeout | null = null

  constructor(socket: Socket, limits: WireLimits, deflate: EngineDeflate | null) {
    this.#socket = socket
    this.#deflate = deflate
    this.#limits = limits
    this.#messageBytes = limits.messageBytes
  }

  /** Writes the answer to the handshake; what the guard sends next leaves with it. */
  accept(answer: string): void {
    sendLatin1(this.#socket, answer)
  }

  /** Begins to read: first `head`, the bytes that came behind the handshake. */
  start(inlet: Inlet, head: Buffer): void {
    this.#inlet = inlet
    // An error is told by the close that follows it; without a listener it would end the process.
    if (this.#socket.listenerCount('error') === 0) this.#socket.on('error', ignore)
    readFrom(this.#socket, this)
    if (head.length > 0) this.read(head, 0, head.length, true)
    // Its end may have been told while the verdict was awaited, and is told but once.
    if (this.#socket.readableEnded) process.nextTick(tellEnd, this)
  }

  // From the socket.

  /** What was read; the memory is the connection's own when `owned`, else it is used again after the call. */
  read(chunk: Buffer, start: number, end: number, owned: boolean): boolean {
    if (this.#state === 'ending' || this.#state === 'closed') return true
    const taken = this.#rest === null && !this.#paused ? this.#push(chunk, start, end) : start
    if (taken < end) {
      const left = chunk.subarray(taken, end)
      if (this.#rest !== null) this.#rest = Buffer.concat([this.#rest, left])
      else this.#rest = owned ? left : Buffer.from(left)
      this.#inlet?.kept?.(this.#rest.length)
    }
    return this.#rest === null
  }

  #push(chunk: Buffer, start: number, end: number): number {
    let done = false
    beginTurn()
    try {
      const decoder = this.#decoder ?? this.#borrow()
      const taken = decoder.push(chunk, start, end)
      if (decoder.idle) {
        this.#decoder = null
        spare = decoder
      }
      done = true
      return taken
    } finally {
      // The guard throws nothing; if it did, this connection would be lost, and the turn of the others must not be.
      if (!done) this.terminate()
      endTurn()
    }
  }

  #borrow(): Decoder {
    const inflate = this.#deflate === null ? undefined : inflateMessage
    const lent = spare
    spare = null
    const decoder = lent ?? new Decoder({ peer: 'client', limits: this.#limits, inflate }, this)
    if (lent !== null) lent.serve(this, this.#limits, inflate)
    decoder.messageBytes = this.#messageBytes
    this.#decoder = decoder
    return decoder
  }

  /** The peer sends no more. */
  ended(): void {
    this.#rest = null
    this.#finish()
  }

  /** The socket is gone. */
  gone(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#state = 'closed'
    this.#rest = null
    const inlet = this.#inlet
    this.#inlet = null
    inlet?.closed(this.#received)
  }

  // From the decoder.

  text(bytes: Buffer, start: number, end: number, ascii: boolean): void {
    this.#inlet?.utf8(bytes, start, end, ascii)
  }

  binary(bytes: Buffer, start: number, end: number): void {
    this.#inlet?.binary(bytes.subarray(start, end))
  }

  pinged(bytes: Buffer, start: number, end: number): void {
    // RFC 6455 §5.5.3: a pong for each, unless the peer closes, does not read what it has, or has proven nothing yet.
    if (this.#state === 'open' && this.bufferedAmount < PONG_BOUND_BYTES && this.#inlet?.silent !== true) {
      this.#send(FIN | OPCODE.pong, bytes, start, end)
    }
    this.#inlet?.pinged()
  }

  ponged(): void {
    this.#inlet?.ponged()
  }

  closing(code: number): void {
    this.#received = code
    // RFC 6455 §5.5.1: the answer echoes the code; it is not owed when ours went first.
    if (this.#state === 'open') this.#send(FIN | OPCODE.close, closePayload(code, ''))
    this.#inlet?.closing?.()
    this.#finish()
  }

  fault(fault: WireFault): void {
    // To the guard too many fragments are their own denial, though both close with 1009.
    const told = fault.code === 'WIRE_FRAGMENTS' ? 1008 : fault.closeCode
    const detail = `${fault.code}: ${fault.message}`
    if (this.#state === 'open') {
      this.#send(FIN | OPCODE.close, closePayload(fault.closeCode, violationOf(told, detail).code))
    }
    this.#state = 'closing'
    this.#inlet?.violation(told, detail)
    this.#linger()
  }

  // From the guard.

  get bufferedAmount(): number {
    return unsentBytes(this.#socket)
  }

  get midFrame(): boolean {
    return this.#decoder?.midFrame ?? false
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  kernelQueue(): KernelQueue | null {
    return kernelQueueOf(this.#socket)
  }

  sendText(text: string): void {
    if (this.#state !== 'open') return
    if (this.#deflate !== null && Buffer.byteLength(text) >= this.#deflate.threshold) {
      this.#send(FIN | RSV1 | OPCODE.text, deflateMessage(Buffer.from(text), this.#deflate.windowBits))
      return
    }
    if (textFrameRoom(text) <= OUTBOX_BYTES) tellTextLength(text.length)
    sendTextFrame(this.#socket, false, text)
  }

  sendJson(value: object): number {
    return this.#state === 'open' && this.#deflate === null ? sendJsonFrame(this.#socket, value) : -1
  }

  sendBinary(bytes: Uint8Array): void {
    if (this.#state !== 'open') return
    if (this.#deflate !== null && bytes.length >= this.#deflate.threshold) {
      this.#send(FIN | RSV1 | OPCODE.binary, deflateMessage(bytes, this.#deflate.windowBits))
    } else this.#send(FIN | OPCODE.binary, bytes)
  }

  /** Sends `bytes[start..end)` as text: it is UTF-8 already, as a relay has it. */
  sendUtf8(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== 'open') return
    if (this.#deflate !== null && end - start >= this.#deflate.threshold) {
      this.#send(FIN | RSV1 | OPCODE.text, deflateMessage(bytes.subarray(start, end), this.#deflate.windowBits))
    } else this.#send(FIN | OPCODE.text, bytes, start, end)
  }

  /** Whether what it sends may be compressed. */
  get compresses(): boolean {
    return this.#deflate !== null
  }

  /** Sends `bytes[start..end)`: frames of whole messages, none of them compressed, as a relay has them. */
  sendFrames(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== 'open') return
    sendBytes(this.#socket, bytes, start, end)
  }

  ping(): void {
    if (this.#state === 'open') this.#send(FIN | OPCODE.ping, new Uint8Array(0))
  }

  pong(): void {
    if (this.#state === 'open') this.#send(FIN | OPCODE.pong, new Uint8Array(0))
  }

  readLess(less: boolean): void {
    readLess(this.#socket, less)
  }

  isReset(): boolean {
    return isReset(this.#socket)
  }

  pause(): void {
    // After the end of the stream what still comes is thrown away, paused or not.
    this.#paused = this.#decoder?.ended !== true
    this.#decoder?.pause()
    this.#socket.pause()
    stopHandle(this.#socket)
  }

  resume(): void {
    this.#paused = false
    this.#decoder?.resume()
    if (this.#rest === null) this.#readOn()
    // Never from within the guard's call: what was read is delivered as the socket would deliver it.
    else process.nextTick(deliverRest, this)
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return
    this.#send(FIN | OPCODE.close, closePayload(code, reason))
    this.#state = 'closing'
    this.#cutAfter(CLOSE_TIMEOUT_MS)
  }

  terminate(): void {
    if (this.#state === 'closed') return
    this.#state = 'ending'
    this.#rest = null
    this.#socket.destroy()
  }

  limit(maxMessageBytes: number): void {
    this.#messageBytes = maxMessageBytes
    if (this.#decoder !== null) this.#decoder.messageBytes = maxMessageBytes
  }

  // Its own.

  /** Goes on with what was read while paused. */
  deliverRest(): void {
    const rest = this.#rest
    if (rest === null) return
    this.#rest = null
    if (!this.read(rest, 0, rest.length, true)) return
    this.#inlet?.kept?.(0)
    this.#readOn()
  }

  #readOn(): void {
    this.#socket.resume()
    startHandle(this.#socket)
  }

  #send(first: number, payload: Uint8Array, start = 0, end: number = payload.length): void {
    sendFrame(this.#socket, false, first, payload, start, end)
  }

  /** The closing handshake is done, or the peer is gone: sends what waits, then lets go of the socket. */
  #finish(): void {
    if (this.#state === 'closed' || this.#state === 'ending') return
    this.#state = 'ending'
    flush()
    // All was read and all is written: closing now sends FIN, and waits for nobody.
    if (this.#socket.writableLength === 0) this.#socket.destroy()
    else {
      this.#socket.end(() => this.#socket.destroy())
      this.#cutAfter(CLOSE_TIMEOUT_MS)
    }
  }

  /** Lets the peer read why, while what it still sends is thrown away: closing at once would reset the connection. */
  #linger(): void {
    flush()
    this.#socket.end()
    this.#readOn()
    this.#cutAfter(LINGER_MS)
  }

  #cutAfter(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(cut, ms, this.#socket).unref()
  }
}

function deliverRest(socket: EngineSocket): void {
  socket.deliverRest()
}

function tellEnd(socket: EngineSocket): void {
  socket.ended()
}

function cut(socket: Socket): void {
  socket.destroy()
}

function ignore(): void {
  // See where it is given.
}
