import type { Socket } from 'node:net'
import { EndpointSocket } from 'sallyport/internal'
import { type KernelQueue, kernelQueueOf } from 'sallyport/internal'
import type { WireFault, WireLimits } from 'sallyport/wire'
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

/** The client's end of a connection to a backend: what the relay sends by, and what tells it of all that comes. */
export class BackendSocket extends EndpointSocket {
  readonly #backend: Backend
  #listener: BackendListener | null
  #started = false

  constructor({ socket, backend }: PooledConnection, limits: WireLimits, listener: BackendListener) {
    super(socket, limits, null)
    this.#backend = backend
    this.#listener = listener
    ;(socket as DrainedSocket)[SELF] = this
    socket.on('drain', onDrain)
    // A backend that was lost before anybody listened is told of as well.
    if (socket.destroyed) process.nextTick(() => this.gone())
  }

  get role(): 'client' {
    return 'client'
  }

  /** Begins to read: first `head`, the frames that came behind the answer. */
  start(head: Buffer): void {
    if (!this.isOpen) return
    this.#started = true
    this.beginReading(head)
  }

  // From the wire.

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

  ponged(): void {
    this.#listener?.ponged()
  }

  protected get silent(): boolean {
    return false
  }

  protected pingReceived(): void {
    // The relay has nothing to do: the pong is written.
  }

  protected keeps(): void {
    // At most two reads: nobody counts it.
  }

  protected closeReceived(code: number, reason: string): void {
    this.#take()?.closedByBackend(code, reason)
  }

  protected faultReason(): string {
    return ''
  }

  protected faultFound(fault: WireFault): void {
    this.#take()?.broken(`${fault.code}: ${fault.message}`)
  }

  protected lost(): void {
    const midway = this.midway ? ', in the middle of a message' : ''
    this.#take()?.lost(`the backend's connection was lost${midway}`)
  }

  protected over(): void {
    this.#backend.open--
    this.lost()
  }

  // From the relay, beyond what every endpoint sends.

  /** What the kernel still holds for the backend; null where nobody can tell. */
  get kernelQueue(): KernelQueue | null {
    return kernelQueueOf(this.socket)
  }

  /** The socket has drained. */
  drained(): void {
    this.#listener?.drained()
  }

  /** Whether `drained` will be called. */
  get isFull(): boolean {
    return this.socket.writableNeedDrain
  }

  override pause(): void {
    if (!this.isPaused) super.pause()
  }

  override resume(): void {
    if (this.isPaused) super.resume()
  }

  /** Starts the closing handshake; the backend is cut when it does not answer. Nothing is told of it any more. */
  override close(code: number): void {
    this.#listener = null
    if (!this.isOpen) return
    if (!this.#started) {
      this.terminate()
      return
    }
    super.close(code, '')
    this.sendAll()
    this.resume()
  }

  /** Cuts the connection. Nothing is told of it any more. */
  override terminate(): void {
    this.#listener = null
    super.terminate()
    // Nobody reads the socket yet, so nobody else would tell of its end.
    if (!this.#started) this.gone()
  }

  /** The listener, for the last time. */
  #take(): BackendListener | null {
    const listener = this.#listener
    this.#listener = null
    return listener
  }
}

const SELF = Symbol('backend')
/** One listener for all sockets: a connection costs no closure. */
interface DrainedSocket extends Socket {
  [SELF]: BackendSocket
}

function onDrain(this: Socket): void {
  ;(this as DrainedSocket)[SELF].drained()
}
