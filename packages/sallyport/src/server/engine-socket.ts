import type { Inlet, Transport } from '../connection/transport.ts'
import { violationOf } from '../connection/violation.ts'
import type { KernelQueue } from '../model/kernel-queue.ts'
import { EndpointSocket } from '../node/endpoint-socket.ts'
import { sendBytes, sendLatin1, sendTextFrame } from '../node/frame-writer.ts'
import { sendJsonFrame, tellTextLength } from '../node/json-frame.ts'
import { kernelQueueOf } from '../node/kernel-queue.ts'
import { readLess } from '../node/shared-read.ts'
import { isReset } from '../node/socket-handle.ts'
import { WRITE_BUFFER_BYTES } from '../node/write-buffer.ts'
import { ABNORMAL, textFrameRoom, type WireFault } from '../wire/index.ts'

/** The server's end of a connection. The guard sends with it and gets all events from it. */
export class EngineSocket extends EndpointSocket implements Transport {
  #inlet: Inlet | null = null
  #received: number = ABNORMAL

  get role(): 'server' {
    return 'server'
  }

  /** Writes the answer to the handshake. The next bytes of the guard leave together with it. */
  accept(answer: string): void {
    sendLatin1(this.socket, answer)
  }

  /** Sends all events to `inlet` and begins to read. `head` comes first: the bytes that followed the handshake. */
  start(inlet: Inlet, head: Buffer): void {
    this.#inlet = inlet
    // A close event follows each error. Without an error listener the process would end.
    if (this.socket.listenerCount('error') === 0) this.socket.on('error', ignore)
    this.beginReading(head)
    // The `end` event may have been emitted while the verdict was awaited. It is emitted only once.
    if (this.socket.readableEnded) process.nextTick(tellEnd, this)
  }

  // From the wire.

  text(bytes: Buffer, start: number, end: number, ascii: boolean): void {
    this.#inlet?.utf8(bytes, start, end, ascii)
  }

  binary(bytes: Buffer, start: number, end: number): void {
    this.#inlet?.binary(bytes.subarray(start, end))
  }

  ponged(): void {
    this.#inlet?.ponged()
  }

  protected get silent(): boolean {
    return this.#inlet?.silent === true
  }

  protected pingReceived(): void {
    this.#inlet?.pinged()
  }

  protected keeps(bytes: number): void {
    this.#inlet?.kept?.(bytes)
  }

  protected closeReceived(code: number): void {
    this.#received = code
    this.#inlet?.closing?.()
  }

  protected faultReason(fault: WireFault): string {
    return violationOf(toldCode(fault), detailOf(fault)).code
  }

  protected faultFound(fault: WireFault): void {
    this.#inlet?.violation(toldCode(fault), detailOf(fault))
  }

  protected lost(): void {
    // `over` reports it, with a code that says that there was no close frame.
  }

  protected over(): void {
    const inlet = this.#inlet
    this.#inlet = null
    inlet?.closed(this.#received)
  }

  // From the guard, beyond what every endpoint sends.

  get bytesRead(): number {
    return this.socket.bytesRead
  }

  kernelQueue(): KernelQueue | null {
    return kernelQueueOf(this.socket)
  }

  protected override writeText(text: string): void {
    if (textFrameRoom(text) <= WRITE_BUFFER_BYTES) tellTextLength(text.length)
    sendTextFrame(this.socket, false, text)
  }

  sendJson(value: object): number {
    return this.isOpen && !this.compresses ? sendJsonFrame(this.socket, value) : -1
  }

  /** Sends `bytes[start..end)` for a relay. They must be the uncompressed frames of complete messages. */
  sendFrames(bytes: Uint8Array, start: number, end: number): void {
    if (this.isOpen) sendBytes(this.socket, bytes, start, end)
  }

  readLess(less: boolean): void {
    readLess(this.socket, less)
  }

  isReset(): boolean {
    return isReset(this.socket)
  }
}

/**
 * The close code that the guard gets. Too many fragments are a separate denial there, although both faults close with
 * 1009.
 */
function toldCode(fault: WireFault): number {
  return fault.code === 'WIRE_FRAGMENTS' ? 1008 : fault.closeCode
}

function detailOf({ code, message }: WireFault): string {
  return `${code}: ${message}`
}

function tellEnd(socket: EngineSocket): void {
  socket.ended()
}

function ignore(): void {
  // The error listener of a socket: the close event that follows reports the end.
}
