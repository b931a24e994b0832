import type { Socket } from 'node:net'
import { type Delivery, type EmbeddedConnection, type MessageSubject } from 'sallyport/embed'
import { type KernelQueue, kernelQueueOf, NO_STATUS, READING_RATE, stepOf } from 'sallyport/internal'
import { isApplicationCloseCode, isSendableCloseCode } from 'sallyport/wire'
import type { BackendListener, BackendSocket } from '../upstream/backend-socket.ts'
import { forward } from './payload.ts'

/** What the pairs of a route share. */
export interface PairHub {
  /** Bytes that may wait for one side before the other is paused. */
  readonly bufferBytes: number
  readonly stallMs: number
  /** Whether what the backend sends must pass `message/outbound`. */
  readonly checksOutbound: boolean
  /** The client may act now, in first-message mode: it needs a backend. */
  readonly authenticated: (pair: Pair) => void
  /** A pair ended; `detail` says why, when it was no closing handshake. */
  readonly ended: (pair: Pair, detail: string | null) => void
}

/** Sent to a client whose backend was lost (IANA registry): try again later. */
const TRY_LATER = 1013
const INTERNAL_ERROR = 1011
const GOING_AWAY = 1001

/**
 * A client and its backend. Messages go through whole, in order and once; a side that does not take what waits for it
 * pauses the other, and ends the pair when it takes nothing for too long.
 */
export class Pair implements Delivery, BackendListener {
  /** The backend's address; empty until there is one. */
  target = ''
  /** Written by the route's heartbeat. */
  pongAwaited = false
  /** How often the kernel's queue for the backend had changed when a pong was last late; -1 while none was. */
  queueChanges = -1
  readonly takesBytes = true
  #hub: PairHub
  #client: EmbeddedConnection | null = null
  #clientSocket: Socket | null = null
  #backend: BackendSocket | null = null
  /** What report mode lets pass as a first message, before there is a backend. */
  #early: MessageSubject[] | null = null
  #clientHeld = false
  #clientStall: Stall | null = null
  #backendStall: Stall | null = null
  #detail: string | null = null
  #opened = false
  #over = false

  constructor(hub: PairHub) {
    this.#hub = hub
  }

  get client(): EmbeddedConnection | null {
    return this.#client
  }

  get backend(): BackendSocket | null {
    return this.#backend
  }

  /** A changed route takes it over. */
  moveTo(hub: PairHub): void {
    this.#hub = hub
  }

  attachClient(client: EmbeddedConnection, socket: Socket): void {
    this.#client = client
    this.#clientSocket = socket
    ;(socket as DrainedSocket)[PAIR] = this
    socket.on('drain', onDrain)
  }

  /** Gives it the backend: before the client, or for a client that is held until there is one. */
  attachBackend(backend: BackendSocket, target: string): void {
    this.#backend = backend
    this.target = target
    if (this.#client === null) return
    for (const subject of this.#early ?? []) this.message(subject)
    this.#early = null
    this.#client.release()
  }

  /** Once client and backend are there: false when the guard ended the connection while it opened. */
  settle(): boolean {
    if (this.#opened || this.#client?.connection.readyState === 0) return true
    this.#backend?.terminate()
    return false
  }

  // From the guard.

  open(): void {
    this.#opened = true
    if (this.#backend !== null) return
    this.#client?.hold()
    this.#hub.authenticated(this)
  }

  message(subject: MessageSubject): void {
    const backend = this.#backend
    if (backend === null) {
      subject.keep?.()
      this.#early ??= []
      this.#early.push(subject)
      return
    }
    forward(subject, backend)
    if (this.#clientHeld || !backend.isFull || backend.bufferedAmount <= this.#hub.bufferBytes) return
    this.#clientHeld = true
    this.#client?.hold()
    const { stallMs } = this.#hub
    this.#backendStall = watchStall(
      stallMs,
      () => backend,
      () => this.lost(`the backend took nothing for ${stallMs} ms`),
    )
  }

  closed(_connection: unknown, code: number): void {
    this.#backend?.close(code === NO_STATUS || isSendableCloseCode(code) ? code : GOING_AWAY)
    this.#end()
  }

  // From the backend.

  text(bytes: Buffer, start: number, end: number): void {
    const client = this.#client
    if (client === null) return
    if (this.#hub.checksOutbound) client.connection.send(bytes.toString('utf8', start, end))
    else client.forwardText(bytes, start, end)
    this.#mind(client)
  }

  binary(bytes: Buffer): void {
    const client = this.#client
    if (client === null) return
    // Where a schema is declared bytes match none.
    if (this.#hub.checksOutbound) client.connection.send(bytes)
    else client.forwardBinary(bytes)
    this.#mind(client)
  }

  get takesFrames(): boolean {
    return this.#client?.takesFrames === true && !this.#hub.checksOutbound
  }

  frames(bytes: Buffer, start: number, end: number, messages: number, payloadBytes: number): void {
    const client = this.#client
    if (client === null) return
    client.forwardFrames(bytes, start, end, messages, payloadBytes)
    this.#mind(client)
  }

  ponged(): void {
    this.pongAwaited = false
    this.queueChanges = -1
  }

  drained(): void {
    if (!this.#clientHeld) return
    this.#clientHeld = false
    stop(this.#backendStall)
    this.#client?.release()
  }

  closedByBackend(code: number, reason: string): void {
    this.#closeClient(code === NO_STATUS ? 1000 : isApplicationCloseCode(code) ? code : INTERNAL_ERROR, reason)
  }

  /** The backend is lost, or cannot be reached, or answers no ping. */
  lost(detail: string): void {
    this.#detail ??= detail
    this.#backend?.terminate()
    this.#closeClient(TRY_LATER, '')
  }

  /** The backend is told why and ends: to cut it would take that from it. */
  broken(detail: string): void {
    this.#detail ??= `the backend breaks the protocol: ${detail}`
    this.#closeClient(INTERNAL_ERROR, '')
  }

  // From the client's socket.

  /** What waited for the client has left. */
  clientDrained(): void {
    stop(this.#clientStall)
    this.#backend?.resume()
  }

  // Its own.

  /** Pauses the backend while the client does not read. */
  #mind(client: EmbeddedConnection): void {
    const backend = this.#backend
    if (client.connection.bufferedAmount <= this.#hub.bufferBytes || backend === null || backend.isPaused) return
    if (this.#clientSocket?.writableNeedDrain !== true) return
    backend.pause()
    const { stallMs } = this.#hub
    const socket = this.#clientSocket
    this.#clientStall = watchStall(
      stallMs,
      () => ({ kernelQueue: kernelQueueOf(socket), bufferedAmount: client.connection.bufferedAmount }),
      () => {
        this.#detail = `the client took nothing for ${stallMs} ms`
        client.endSlow(this.#detail)
      },
    )
  }

  #closeClient(code: number, reason: string): void {
    const connection = this.#client?.connection
    if (connection !== undefined && connection.readyState < 2) connection.close(code, reason)
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    stop(this.#clientStall)
    stop(this.#backendStall)
    this.#hub.ended(this, this.#detail)
  }
}

/**
 * Ends a side that takes less than {@link READING_RATE} until its time is over; one that takes more has it again. Where the
 * kernel still holds something for it, what it takes shows in steps, and it has `stepOf` the time.
 */
function watchStall(stallMs: number, sideOf: () => Side, late: () => void): Stall {
  let before = takenOf(sideOf())
  let passedMs = stallMs
  const look = (): void => {
    const side = sideOf()
    const taken = takenOf(side) - before
    const stepMs = stepOf(stallMs)
    if (taken >= (READING_RATE * passedMs) / 1000) {
      before += taken
      passedMs = stallMs
      stall.timer = setTimeout(look, stallMs).unref()
    } else if ((side.kernelQueue?.bytes ?? 0) > 0 && passedMs < stepMs) {
      stall.timer = setTimeout(look, stepMs - passedMs).unref()
      passedMs = stepMs
    } else late()
  }
  const stall: Stall = { timer: setTimeout(look, stallMs).unref() }
  return stall
}

interface Stall {
  timer: NodeJS.Timeout
}

/** What waits for a side. */
interface Side {
  readonly kernelQueue: KernelQueue | null
  readonly bufferedAmount: number
}

/** Grows with each byte that a side takes: out of the kernel, or out of what waits here while nothing is added. */
function takenOf(side: Side): number {
  return (side.kernelQueue?.taken ?? 0) - side.bufferedAmount
}

const PAIR = Symbol('pair')
/** One listener for all sockets: a connection costs no closure. */
interface DrainedSocket extends Socket {
  [PAIR]: Pair
}

function onDrain(this: Socket): void {
  ;(this as DrainedSocket)[PAIR].clientDrained()
}

function stop(stall: Stall | null): void {
  if (stall !== null) clearTimeout(stall.timer)
}
