import type { Socket } from 'node:net'
import {
  FIN,
  frameSize,
  OPCODE,
  textFrameRoom,
  writeFrame,
  writeMaskedFrame,
  writeMaskedTextFrame,
  writeTextFrame,
} from '../wire/index.ts'
import { commit, flush, WRITE_BUFFER_BYTES, writeBufferStart, reserve, waiting } from './write-buffer.ts'

const MASK_BYTES = 4

/**
 * Sends one frame with the turn's other bytes, or by itself where it is longer than they may be.
 *
 * @param masked whether we are the client (RFC 6455 §5.3)
 */
export function sendFrame(
  socket: Socket,
  masked: boolean,
  first: number,
  payload: Uint8Array,
  start = 0,
  end: number = payload.length,
): void {
  const write = masked ? writeMaskedFrame : writeFrame
  const room = frameSize(end - start) + (masked ? MASK_BYTES : 0)
  if (room <= WRITE_BUFFER_BYTES) {
    const target = reserve(socket, room)
    commit(write(target, writeBufferStart(), first, payload, start, end))
    return
  }
  flush()
  const frame = Buffer.allocUnsafe(room)
  write(frame, 0, first, payload, start, end)
  socket.write(frame)
}

/** Sends a whole text message, as above. A lone surrogate becomes U+FFFD. */
export function sendTextFrame(socket: Socket, masked: boolean, text: string): void {
  const room = textFrameRoom(text) + (masked ? MASK_BYTES : 0)
  if (room > WRITE_BUFFER_BYTES) {
    sendFrame(socket, masked, FIN | OPCODE.text, Buffer.from(text))
    return
  }
  const target = reserve(socket, room)
  commit((masked ? writeMaskedTextFrame : writeTextFrame)(target, writeBufferStart(), text))
}

/** Sends `bytes[start..end)` as they lie: frames that are whole. */
export function sendBytes(socket: Socket, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at += WRITE_BUFFER_BYTES) {
    const piece = bytes.subarray(at, Math.min(end, at + WRITE_BUFFER_BYTES))
    const target = reserve(socket, piece.length)
    target.set(piece, writeBufferStart())
    commit(writeBufferStart() + piece.length)
  }
}

/** Sends what is no frame: the head of an HTTP answer, of ISO 8859-1 alone. It must fit the write buffer. */
export function sendLatin1(socket: Socket, text: string): void {
  const target = reserve(socket, text.length)
  commit(writeBufferStart() + target.write(text, writeBufferStart(), 'latin1'))
}

/** Bytes that the peer's kernel has not taken yet, those of this turn among them. */
export function unsentBytes(socket: Socket): number {
  return socket.writableLength + waiting(socket)
}
