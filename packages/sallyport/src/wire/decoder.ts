import { isAscii, isUtf8 } from 'node:buffer'
import { Assembly } from './assembly.ts'
import { readClose } from './close.ts'
import { type DecoderOptions, requireDecoderOptions } from './decoder-options.ts'
import { FAULTS, type WireFault } from './faults.ts'
import { FrameRun } from './frame-run.ts'
import { headerSize, readLength, refuseStart } from './header.ts'
import type { Inflate, WireLimits } from './limits.ts'
import { applyMask } from './mask.ts'
import { FIN, MASKED, OPCODE, RSV1 } from './opcode.ts'
import type { WireSink } from './sink.ts'
import { checkUtf8 } from './utf8.ts'

const run = new FrameRun()

/**
 * Reads frames and messages from bytes in any split (RFC 6455 §5), without a socket or a clock. A message that lies
 * completely in one chunk is unmasked and delivered there, without a copy. Others are gathered within the bounds.
 *
 * It is a class only for speed: all decoders have the same shape.
 */
export class Decoder {
  /** Greatest message from the next frame on, in bytes. It is `limits.messageBytes` until the owner sets it. */
  messageBytes: number
  #sink: WireSink
  #limits: WireLimits
  #masked: number
  #inflate: Inflate | undefined
  #stopped = false
  #ended = false

  // The present frame. A header or payload that continues in the next chunk is kept in `#head` and `#left`.
  #head: Buffer | null = null
  #headLength = 0
  #first = 0
  #length = 0
  #key = 0
  #left = 0
  #control: Assembly | null = null

  // The present message, if it is not complete in one chunk.
  #opcode = 0
  #compressed = false
  #fragments = 0
  #size = 0
  #message: Assembly | null = null
  #ascii = true
  #checked = 0

  constructor(options: DecoderOptions, sink: WireSink) {
    requireDecoderOptions(options, sink)
    this.#sink = sink
    this.#limits = options.limits
    this.messageBytes = options.limits.messageBytes
    this.#masked = options.peer === 'client' ? MASKED : 0
    this.#inflate = options.inflate
  }

  /** Whether nothing more is read, because of a close frame or a fault. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether a message or a frame is incomplete. */
  get midway(): boolean {
    return this.#opcode !== 0 || this.midFrame
  }

  /** Whether a frame is incomplete. Nothing else can come before its end. */
  get midFrame(): boolean {
    return this.#left !== 0 || this.#head !== null
  }

  /** Whether nothing of the stream is kept, so that the decoder may read another stream. */
  get idle(): boolean {
    return !this.#ended && !this.midway
  }

  /**
   * Makes an idle decoder read another stream. Of thousands of connections few have an incomplete frame, so decoders
   * are shared.
   */
  serve(sink: WireSink, limits: WireLimits, inflate: Inflate | undefined): void {
    if (!this.idle) throw new Error('the decoder is not idle: create another one')
    this.#sink = sink
    this.#limits = limits
    this.#inflate = inflate
    this.#stopped = false
    this.messageBytes = limits.messageBytes
  }

  /** Makes `push` return after the present frame. The sink may call it, or the owner between two pushes. */
  pause(): void {
    this.#stopped = true
  }

  /** Lets `push` read on. The owner passes again the bytes that the last `push` did not take. */
  resume(): void {
    this.#stopped = this.#ended
  }

  /**
   * Reads `chunk[start..end)`, which is unmasked in place.
   *
   * @returns the position of the first unread byte: less than `end` only while paused; after the end of the stream it
   * is `end`
   */
  push(chunk: Buffer, start = 0, end: number = chunk.length): number {
    let at = start
    while (at < end && !this.#stopped) {
      if (this.#left > 0) at = this.#gather(chunk, at, end)
      else if (this.#masked === 0 && this.#sink.takesFrames === true) at = this.#run(chunk, at, end)
      else at = this.#header(chunk, at, end)
    }
    return this.#ended ? end : at
  }

  #fail(fault: WireFault, at: number): number {
    this.#end()
    this.#sink.fault(fault)
    return at
  }

  #end(): void {
    this.#ended = true
    this.#stopped = true
    this.#message = null
    this.#control = null
    this.#head = null
  }

  /** Delivers frames that need not be decoded, if such frames come next. */
  #run(chunk: Buffer, start: number, end: number): number {
    const most = Math.min(this.messageBytes, this.#limits.frameBytes)
    if (this.midway || !run.measure(chunk, start, end, most)) return this.#header(chunk, start, end)
    const { end: stop } = run
    this.#sink.frames!(chunk, start, stop, run.messages, run.payloadBytes)
    return stop
  }

  #header(chunk: Buffer, from: number, end: number): number {
    if (this.#head === null) {
      if (end - from >= 2 && end - from >= headerSize(chunk[from + 1]!)) return this.#open(chunk, from, chunk, end)
      this.#head = Buffer.allocUnsafe(14)
      this.#headLength = 0
    }
    const head = this.#head
    let at = from
    while (at < end) {
      head[this.#headLength++] = chunk[at++]!
      if (this.#headLength < 2) continue
      if (this.#headLength === 2) {
        const fault = this.#refuse(head[0]!, head[1]!)
        if (fault !== null) return this.#fail(fault, at)
      }
      if (this.#headLength < headerSize(head[1]!)) continue
      this.#head = null
      return this.#open(head, 0, chunk, end, at)
    }
    return at
  }

  #refuse(first: number, second: number): WireFault | null {
    const fault = refuseStart(first, second, this.#masked, this.#opcode !== 0)
    if (fault !== null || (first & RSV1) === 0) return fault
    // RSV1 belongs to permessage-deflate. It may be set on the first frame of a data message (RFC 7692 §6.1).
    const opcode = first & 15
    const allowed = this.#inflate !== undefined && (opcode === OPCODE.text || opcode === OPCODE.binary)
    return allowed ? null : FAULTS.WIRE_RESERVED_BITS
  }

  /** Judges a complete header at `head[from]`, then continues with the payload at `chunk[at]`. */
  #open(head: Buffer, from: number, chunk: Buffer, end: number, at = from + headerSize(head[from + 1]!)): number {
    const first = head[from]!
    const second = head[from + 1]!
    const refused = this.#refuse(first, second)
    if (refused !== null) return this.#fail(refused, at)
    const length = readLength(head, from)
    if (typeof length !== 'number') return this.#fail(length, at)
    const fault = (first & 8) === 0 ? this.#admitData(first, length) : null
    if (fault !== null) return this.#fail(fault, at)
    this.#first = first
    this.#length = length
    if ((second & MASKED) !== 0) {
      const keyAt = from + headerSize(second) - 4
      this.#key = head[keyAt]! | (head[keyAt + 1]! << 8) | (head[keyAt + 2]! << 16) | (head[keyAt + 3]! << 24)
    }
    if (end - at >= length) return this.#whole(chunk, at, at + length)
    this.#left = length
    return this.#gather(chunk, at, end)
  }

  #admitData(first: number, length: number): WireFault | null {
    if (length > this.#limits.frameBytes) return FAULTS.WIRE_FRAME_TOO_BIG
    if (this.#size + length > this.messageBytes) return FAULTS.WIRE_MESSAGE_TOO_BIG
    if (this.#fragments >= this.#limits.fragments) return FAULTS.WIRE_FRAGMENTS
    this.#size += length
    this.#fragments++
    if (this.#opcode === 0) {
      this.#opcode = first & 15
      this.#compressed = (first & RSV1) !== 0
    }
    return null
  }

  /** Handles a payload that lies completely in the chunk. */
  #whole(chunk: Buffer, start: number, end: number): number {
    const ascii = this.#unmask(chunk, start, end, 0)
    if ((this.#first & 8) !== 0) this.#controlFrame(chunk, start, end)
    else if (this.#message === null && (this.#first & FIN) !== 0) this.#deliver(chunk, start, end, ascii, start)
    else {
      const fault = this.#append(chunk, start, end, ascii)
      if (fault !== null) return this.#fail(fault, end)
      if ((this.#first & FIN) !== 0) this.#finish()
    }
    return end
  }

  /** Handles the part of a payload in this chunk. */
  #gather(chunk: Buffer, start: number, chunkEnd: number): number {
    const end = Math.min(start + this.#left, chunkEnd)
    const ascii = this.#unmask(chunk, start, end, this.#length - this.#left)
    this.#left -= end - start
    if ((this.#first & 8) !== 0) {
      this.#control ??= new Assembly()
      this.#control.append(chunk, start, end)
      if (this.#left > 0) return end
      const { bytes, length } = this.#control
      this.#control = null
      this.#controlFrame(bytes, 0, length)
      return end
    }
    const fault = this.#append(chunk, start, end, ascii)
    if (fault !== null) return this.#fail(fault, end)
    if (this.#left === 0 && (this.#first & FIN) !== 0) this.#finish()
    return end
  }

  #unmask(bytes: Buffer, start: number, end: number, phase: number): boolean {
    if (this.#masked !== 0) return applyMask(bytes, start, end, this.#key, phase)
    return isAscii(bytes.subarray(start, end))
  }

  #append(chunk: Buffer, start: number, end: number, ascii: boolean): WireFault | null {
    this.#message ??= new Assembly()
    this.#message.append(chunk, start, end)
    if (this.#opcode !== OPCODE.text || this.#compressed) return null
    const { bytes, length } = this.#message
    // ASCII needs no check. From the first other byte on, each byte is checked when it arrives.
    if (ascii && this.#checked === length - (end - start)) this.#checked = length
    else {
      this.#ascii = false
      this.#checked = checkUtf8(bytes, this.#checked, length)
      if (this.#checked < 0) return FAULTS.WIRE_TEXT_UTF8
    }
    return null
  }

  #finish(): void {
    const { bytes, length } = this.#message!
    this.#deliver(bytes, 0, length, this.#ascii, this.#checked)
  }

  /** Delivers a complete message. Text is known to be UTF-8 up to `checked`. */
  #deliver(bytes: Buffer, start: number, end: number, ascii: boolean, checked: number): void {
    const text = this.#opcode === OPCODE.text
    const compressed = this.#compressed
    this.#opcode = 0
    this.#fragments = 0
    this.#size = 0
    this.#message = null
    this.#ascii = true
    this.#checked = 0
    if (compressed) this.#deliverInflated(bytes, start, end, text)
    else if (!text) this.#sink.binary(bytes, start, end)
    else if (ascii || checked === end || isUtf8(bytes.subarray(checked, end))) this.#sink.text(bytes, start, end, ascii)
    else this.#fail(FAULTS.WIRE_TEXT_UTF8, end)
  }

  #deliverInflated(bytes: Buffer, start: number, end: number, text: boolean): void {
    const inflated = this.#inflate!(bytes.subarray(start, end), this.messageBytes)
    if (!Buffer.isBuffer(inflated)) this.#fail(inflated, end)
    else if (!text) this.#sink.binary(inflated, 0, inflated.length)
    else if (isUtf8(inflated)) this.#sink.text(inflated, 0, inflated.length, isAscii(inflated))
    else this.#fail(FAULTS.WIRE_TEXT_UTF8, end)
  }

  #controlFrame(bytes: Buffer, start: number, end: number): void {
    const opcode = this.#first & 15
    if (opcode === OPCODE.ping) this.#sink.pinged(bytes, start, end)
    else if (opcode === OPCODE.pong) this.#sink.ponged(bytes, start, end)
    else {
      const status = readClose(bytes, start, end)
      this.#end()
      if ('closeCode' in status) this.#sink.fault(status)
      else this.#sink.closing(status.code, status.reason)
    }
  }
}
