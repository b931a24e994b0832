import type { Socket } from 'node:net'
import {
  beginTurn,
  endTurn,
  flush,
  type KernelQueue,
  kernelQueueOf,
  readFrom,
  type Reader,
  sendFrame,
  sendTextFrame,
  unsentBytes,
} from 'sallyport/embed'
import { closePayload, Decoder, FIN, OPCODE, type WireFault, type WireLimits, type WireSink } from 'sallyport/wire'
import type { PooledConnection } from './pool.ts'
import type { Backend } from './backend.ts'

/** Who hears what a backend sends, in the order of its bytes; nothing comes after one of the three ends. */
export interface BackendListener {
  /** One whole text message, `bytes[start..end)`, known to be UTF-8. The memory holds until the call returns. */
  text(bytes: Buffer, start: number, end: number): void
  binary(bytes: Buffer): void
  /** Whether it takes messages as the frames that they are, for now. */
  readonly takesFrames: boolean
  /** Whole messages: `bytes[start..end)` are frames that may be sent to a client as they lie. The memory holds as above. */
  frames(bytes: Buffer, start: number, end: number, messages: number, payloadBytes: number): void
  ponged(): void
  /** What waited for the backend has left. */
  drained(): void
  /** It ended by a close frame; `code` is 1005 when it gave none. */
  closedByBackend(code: number, reason: string): void
  /** The connection was lost without one; `detail` is for the operator. */
  lost(detail: string): void
  /** The backend broke the protocol, or a bound. */
  broken(detail: string): void
}

/** How long a backend has to answer a close frame before it is cut, in ms. */
const CLOSE_TIMEOUT_MS = 5_000
/** A backend that lets this many bytes wait gets no pong for its pings. */
const PONG_BOUND_BYTES = 65_536
const NOTHING = new Uint8Array(0)

/** One client connection to a backend: what RFC 6455 §5–§7 ask of a client, between the wire and the relay. */
export class BackendSocket implements WireSink, Reader {
  readonly #socket: Socket
  readonly #backend: Backend
  readonly #decoder: Decoder
  #listener: BackendListener | null
  #rest: Buffer | null = null
  #state: 'open' | 'closing' | 'ending' | 'gone' = 'open'
  #paused = false
  #started = false
  #peerEnded = false
  #timer: NodeJS.Timeout | null = null

  constructor({ socket, backend }: PooledConnection, limits: WireLimits, listener: BackendListener) {
    this.#socket = socket
    this.#backend = backend
    this.#listener = listener
    this.#decoder = new Decoder({ peer: 'server', limits }, this)
    ;(socket as DrainedSocket)[SELF] = this
    socket.on('drain', onDrain)
    // A backend that was lost before anybody listened is told of as well.
    if (socket.destroyed) process.nextTick(() => this.gone())
  }

  /** Begins to read: first `head`, the frames that came behind the answer. */
  start(head: Buffer): void {
    if (this.#state !== 'open') return
    this.#started = true
    readFrom(this.#socket, this)
    if (head.length > 0 && !this.read(head, 0, head.length, true)) this.#socket.pause()
  }

  // From the socket.

  read(chunk: Buffer, start: number, end: number, owned: boolean): boolean {
    if (this.#state === 'ending' || this.#state === 'gone') return true
    beginTurn()
    const taken = this.#rest === null ? this.#decoder.push(chunk, start, end) : start
    if (taken < end) {
      const left = chunk.subarray(taken, end)
      if (this.#rest !== null) this.#rest = Buffer.concat([this.#rest, left])
      else this.#rest = owned ? left : Buffer.from(left)
    }
    endTurn()
    return this.#rest === null
  }

  ended(): void {
    this.#peerEnded = true
    if (this.#rest === null) this.#finish()
  }

  gone(): void {
    if (this.#state === 'gone') return
    this.#backend.open--
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#state = 'gone'
    this.#rest = null
    this.#lose()
  }

  // From the decoder.

  text(bytes: Buffer, start: number, end: number): void {
    this.#listener?.text(bytes, start, end)
  }

  binary(bytes: Buffer, start: number, end: number): void {
    this.#listener?.binary(bytes.subarray(start, end))
  }

  get takesFrames(): boolean {
    return this.#listener?.takesFrames === true
  }

  frames(bytes: Buffer, start: number, end: number, messages: number, payloadBytes: number): void {
    this.#listener?.frames(bytes, start, end, messages, payloadBytes)
  }

  pinged(bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'open' && this.bufferedAmount < PONG_BOUND_BYTES) {
      this.#send(FIN | OPCODE.pong, bytes, start, end)
    }
  }

  ponged(): void {
    this.#listener?.ponged()
  }

  closing(code: number, reason: string): void {
    if (this.#state === 'open') this.#send(FIN | OPCODE.close, closePayload(code, ''))
    this.#state = 'closing'
    this.#take()?.closedByBackend(code, reason)
    // The server ends the connection (RFC 6455 §7.1.1); one that does not is cut.
    flush()
    this.#socket.end()
    this.#cutAfter(CLOSE_TIMEOUT_MS)
  }

  fault(fault: WireFault): void {
    if (this.#state === 'open') this.#send(FIN | OPCODE.close, closePayload(fault.closeCode, ''))
    this.#state = 'ending'
    this.#take()?.broken(`${fault.code}: ${fault.message}`)
    flush()
    this.#socket.end(() => this.#socket.destroy())
    this.#cutAfter(CLOSE_TIMEOUT_MS)
  }

  // From the relay.

  /** Bytes that the backend's kernel has not taken yet. */
  get bufferedAmount(): number {
    return unsentBytes(this.#socket)
  }

  /** What the kernel still holds for the backend; null where nobody can tell. */
  get kernelQueue(): KernelQueue | null {
    return kernelQueueOf(this.#socket)
  }

  /** The socket has drained. */
  drained(): void {
    this.#listener?.drained()
  }

  /** Whether `drained` will be called. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain
  }

  get isPaused(): boolean {
    return this.#paused
  }

  sendText(text: string): void {
    if (this.#state === 'open') sendTextFrame(this.#socket, true, text)
  }

  /** Sends `bytes[start..end)`, which is UTF-8 already, as text. */
  sendUtf8(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state === 'open') this.#send(FIN | OPCODE.text, bytes, start, end)
  }

  sendBinary(bytes: Uint8Array): void {
    if (this.#state === 'open') this.#send(FIN | OPCODE.binary, bytes)
  }

  ping(): void {
    if (this.#state === 'open') this.#send(FIN | OPCODE.ping, NOTHING)
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#decoder.pause()
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#decoder.resume()
    if (this.#rest === null) this.#socket.resume()
    else process.nextTick(deliverRest, this)
  }

  /** Starts the closing handshake; the backend is cut when it does not answer. Nothing is told of it any more. */
  close(code: number): void {
    this.#listener = null
    if (this.#state !== 'open') return
    if (!this.#started) {
      this.terminate()
      return
    }
    this.#send(FIN | OPCODE.close, closePayload(code, ''))
    this.#state = 'closing'
    this.#rest = null
    flush()
    this.resume()
    this.#cutAfter(CLOSE_TIMEOUT_MS)
  }

  /** Cuts the connection. */
  terminate(): void {
    this.#listener = null
    if (this.#state === 'gone') return
    this.#state = 'ending'
    this.#rest = null
    this.#socket.destroy()
    // Nobody else would tell of the end.
    if (!this.#started) this.gone()
  }

  // Its own.

  /** Goes on with what was read while paused. */
  deliverRest(): void {
    const rest = this.#rest
    if (rest === null || this.#paused) return
    this.#rest = null
    if (!this.read(rest, 0, rest.length, true)) return
    if (this.#peerEnded) this.#finish()
    else if (!this.#paused) this.#socket.resume()
  }

  #send(first: number, payload: Uint8Array, start = 0, end: number = payload.length): void {
    sendFrame(this.#socket, true, first, payload, start, end)
  }

  #lose(): void {
    const midway = this.#decoder.midway ? ', in the middle of a message' : ''
    this.#take()?.lost(`the backend's connection was lost${midway}`)
  }

  /** The listener, for the last time. */
  #take(): BackendListener | null {
    const listener = this.#listener
    this.#listener = null
    return listener
  }

  /** The backend sends no more. */
  #finish(): void {
    if (this.#state === 'gone') return
    const lost = this.#state === 'open'
    this.#state = 'ending'
    if (lost) this.#lose()
    this.#socket.destroy()
  }

  #cutAfter(ms: number): void {
    this.#timer ??= setTimeout(cut, ms, this.#socket).unref()
  }
}

function deliverRest(socket: BackendSocket): void {
  socket.deliverRest()
}

const SELF = Symbol('backend')
/** One listener for all sockets: a connection costs no closure. */
interface DrainedSocket extends Socket {
  [SELF]: BackendSocket
}

function onDrain(this: Socket): void {
  ;(this as DrainedSocket)[SELF].drained()
}

function cut(socket: Socket): void {
  socket.destroy()
}
