import type { WebSocket } from 'ws'
import type { MessageSubject } from '../../controls/message/message-control.ts'
import { alteredText } from '../../controls/message/message-text.ts'

/** What of `ws` is not in its types. */
interface Reading {
  /** None in Bun's own `ws`. */
  _receiver?: { _binaryType?: string } | null
}

/**
 * Keeps the receiver of a class's sockets on Buffers, whatever `binaryType` the app sets: the door reads bytes, and a Blob
 * would have to be awaited. What the app is handed is of its own `binaryType` again.
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
 * What a `message` listener is called with: the bytes that came. Where fields were stripped or values transformed, or the
 * digits of a big integer are to arrive as text, it is the value as JSON.
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

/** A copy of the bytes that `ws` would send of a value; none of a Blob, which would have to be awaited. */
export function bytesOf(data: unknown): Uint8Array {
  if (ArrayBuffer.isView(data)) return Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return data instanceof Blob ? new Uint8Array() : Uint8Array.from(new Uint8Array(data as ArrayBuffer))
}

/** Bytes, or for text characters, of what an app sends. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length
  const { byteLength, size } = (data ?? {}) as { readonly byteLength?: number; readonly size?: number }
  return byteLength ?? size ?? 0
}
