import type { Socket } from 'node:net'
import { Endpoint, type EndpointDeflate, type WireLimits } from '../wire/index.ts'
import { sendFrame, sendTextFrame, unsentBytes } from './frame-writer.ts'
import { readFrom, type Reader } from './shared-read.ts'
import { startHandle, stopHandle } from './socket-handle.ts'
import { beginTurn, endTurn, flush } from './write-buffer.ts'

/**
 * An endpoint on a socket of Node. It reads with the shared buffer, writes with the shared write buffer, and has one
 * timer.
 */
export abstract class EndpointSocket extends Endpoint implements Reader {
  protected readonly socket: Socket
  #timer: NodeJS.Timeout | null = null

  constructor(socket: Socket, limits: WireLimits, deflate: EndpointDeflate | null) {
    super(limits, deflate)
    this.socket = socket
  }

  /** Begins to read. `head` comes first: the bytes that followed the handshake. */
  protected beginReading(head: Buffer): void {
    readFrom(this.socket, this)
    if (head.length > 0 && !this.read(head, 0, head.length, true)) this.socket.pause()
  }

  read(chunk: Buffer, start: number, end: number, owned: boolean): boolean {
    let done = false
    beginTurn()
    try {
      const all = this.receive(chunk, start, end, owned)
      done = true
      return all
    } finally {
      // Nothing below throws. If it did, only this connection is cut, and the turn of the others goes on.
      if (!done) this.terminate()
      endTurn()
    }
  }

  get bufferedAmount(): number {
    return unsentBytes(this.socket)
  }

  protected write(first: number, payload: Uint8Array, start: number, end: number): void {
    sendFrame(this.socket, this.role === 'client', first, payload, start, end)
  }

  protected writeText(text: string): void {
    sendTextFrame(this.socket, this.role === 'client', text)
  }

  protected sendAll(): boolean {
    flush()
    return this.socket.writableLength === 0
  }

  protected endOutput(cuts: boolean, patienceMs: number): void {
    flush()
    if (cuts) this.socket.end(() => this.socket.destroy())
    else this.socket.end()
    this.cutAfter(patienceMs)
  }

  protected cutAfter(ms: number): void {
    if (this.#timer !== null) {
      // A backend has one time limit for the whole close. A client gets a new one while bytes wait for it.
      if (this.role === 'client') return
      clearTimeout(this.#timer)
    }
    this.#timer = setTimeout(destroy, ms, this.socket).unref()
  }

  protected cut(): void {
    this.socket.destroy()
  }

  protected stopReading(): void {
    this.socket.pause()
    // The guard counts what is read of a paused client. A backend must stay readable, because its reset is not noticed
    // otherwise.
    if (this.role === 'server') stopHandle(this.socket)
  }

  protected readOn(): void {
    this.socket.resume()
    if (this.role === 'server') startHandle(this.socket)
  }

  protected deliverLater(): void {
    process.nextTick(deliverRest, this)
  }

  protected get inputEnded(): boolean {
    return this.socket.readableEnded
  }

  override gone(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    super.gone()
  }
}

function deliverRest(endpoint: Endpoint): void {
  endpoint.deliverRest()
}

function destroy(socket: Socket): void {
  socket.destroy()
}
