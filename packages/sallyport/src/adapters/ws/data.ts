import type { WebSocket } from 'ws'
import type { MessageSubject } from '../../controls/message/message-control.ts'
import { alteredText } from '../../controls/message/message-text.ts'

/** Fields of `ws` that its types leave out. */
interface Reading {
  /** Bun's own `ws` has none. */
  _receiver?: { _binaryType?: string } | null
}

/**
 * Makes the receiver of a class's sockets give Buffers, whatever `binaryType` the app sets: the door reads bytes, and a Blob
 * would have to be awaited. The app still gets its own `binaryType`.
 */
export function readBuffers(prototype: WebSocket): void {
  const inherited = Object.getOwnPropertyDescriptor(ownerOf(prototype), 'binaryType')
  Object.defineProperty(prototype, 'binaryType', {
    configurable: true,
    get(this: WebSocket): unknown {
      return inherited?.get?.call(this)
    },
    set(this: WebSocket & Reading, type: unknown) {
      inherited?.set?.call(this, type)
      if (this._receiver) this._receiver._binaryType = 'nodebuffer'
    },
  })
}

function ownerOf(prototype: object): object {
  let owner = Object.getPrototypeOf(prototype) as object | null
  while (owner !== null && !Object.hasOwn(owner, 'binaryType')) owner = Object.getPrototypeOf(owner) as object | null
  return owner ?? {}
}

/**
 * The arguments for a `message` listener: the bytes that came. It is the value as JSON if fields were stripped, values
 * transformed, or digits of a big integer are to arrive as text.
 */
export function payloadOf(subject: MessageSubject, binaryType: string): readonly [data: unknown, isBinary: boolean] {
  const { lent, data, text } = subject
  if (data === null) {
    if (subject.altered === true || subject.digits === true) return [Buffer.from(alteredText(subject)), false]
    if (lent) return [lent.subarray(subject.start, subject.end), false]
    return [Buffer.from(text ?? ''), false]
  }
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (binaryType === 'arraybuffer') return [Uint8Array.from(buffer).buffer, true]
  if (binaryType === 'blob') return [new Blob([Uint8Array.from(buffer)]), true]
  return [binaryType === 'fragments' ? [buffer] : buffer, true]
}

/** A copy of the bytes that `ws` would send for a value; empty for a Blob, which would have to be awaited. */
export function bytesOf(data: unknown): Uint8Array {
  if (ArrayBuffer.isView(data)) return Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return data instanceof Blob ? new Uint8Array() : Uint8Array.from(new Uint8Array(data as ArrayBuffer))
}

/** Size of what an app sends: bytes, or characters of a text. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length
  const { byteLength, size } = (data ?? {}) as { readonly byteLength?: number; readonly size?: number }
  return byteLength ?? size ?? 0
}
