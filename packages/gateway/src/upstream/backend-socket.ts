import type { Socket } from 'node:net'
import { EndpointSocket } from 'sallyport/internal'
import { type KernelQueue, kernelQueueOf } from 'sallyport/internal'
import type { WireFault, WireLimits } from 'sallyport/wire'
import type { PooledConnection } from './pool.ts'
import type { Backend } from './backend.ts'

/** Receives what a backend sends, in the order of its bytes. No call follows one of the three ends. */
export interface BackendListener {
  /** One complete text message, `bytes[start..end)`, valid UTF-8. The memory is valid until the call returns. */
  text(bytes: Buffer, start: number, end: number): void
  binary(bytes: Buffer): void
  /** Whether it takes messages as frames at present. */
  readonly takesFrames: boolean
  /**
   * Complete messages: the frames in `bytes[start..end)` may be sent to a client unchanged. The memory is valid until
   * the call returns.
   */
  frames(bytes: Buffer, start: number, end: number, messages: number, payloadBytes: number): void
  ponged(): void
  /** All bytes that waited for the backend have left. */
  drained(): void
  /** It ended with a close frame. `code` is 1005 if the frame had none. */
  closedByBackend(code: number, reason: string): void
  /** The connection was lost without a close frame. `detail` is for the operator. */
  lost(detail: string): void
  /** The backend broke the protocol or a bound. */
  broken(detail: string): void
}

/** The client's end of a connection to a backend. The relay sends with it and gets all events from it. */
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
    // A backend may be lost before the relay listens. That is reported too.
    if (socket.destroyed) process.nextTick(() => this.gone())
  }

  get role(): 'client' {
    return 'client'
  }

  /** Begins to read. `head` comes first: the frames that followed the answer. */
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
    // The relay has nothing to do: the pong is already written.
  }

  protected keeps(): void {
    // At most two reads wait here, so they are not counted.
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

  /** Bytes that the kernel still holds for the backend. Null if they are unknown. */
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

  /** Starts the closing handshake. A backend that does not answer is cut. The listener gets no further call. */
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

  /** Cuts the connection. The listener gets no further call. */
  override terminate(): void {
    this.#listener = null
    super.terminate()
    // The socket is not read yet, so no other code would report its end.
    if (!this.#started) this.gone()
  }

  /** Takes the listener for its last call. */
  #take(): BackendListener | null {
    const listener = this.#listener
    this.#listener = null
    return listener
  }
}

const SELF = Symbol('backend')
/** One listener for all sockets, so that a connection needs no closure. */
interface DrainedSocket extends Socket {
  [SELF]: BackendSocket
}

function onDrain(this: Socket): void {
  ;(this as DrainedSocket)[SELF].drained()
}
