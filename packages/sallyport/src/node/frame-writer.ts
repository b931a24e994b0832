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
 * Sends one frame together with the other bytes of this turn. A frame that is too long for that is sent alone.
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

/** Sends a complete text message in the same way. A lone surrogate becomes U+FFFD. */
export function sendTextFrame(socket: Socket, masked: boolean, text: string): void {
  const room = textFrameRoom(text) + (masked ? MASK_BYTES : 0)
  if (room > WRITE_BUFFER_BYTES) {
    sendFrame(socket, masked, FIN | OPCODE.text, Buffer.from(text))
    return
  }
  const target = reserve(socket, room)
  commit((masked ? writeMaskedTextFrame : writeTextFrame)(target, writeBufferStart(), text))
}

/** Sends `bytes[start..end)` unchanged. They must be complete frames. */
export function sendBytes(socket: Socket, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at += WRITE_BUFFER_BYTES) {
    const piece = bytes.subarray(at, Math.min(end, at + WRITE_BUFFER_BYTES))
    const target = reserve(socket, piece.length)
    target.set(piece, writeBufferStart())
    commit(writeBufferStart() + piece.length)
  }
}

/**
 * Sends text that is not a frame, namely the head of an HTTP answer in ISO 8859-1. It must fit into the write buffer.
 */
export function sendLatin1(socket: Socket, text: string): void {
  const target = reserve(socket, text.length)
  commit(writeBufferStart() + target.write(text, writeBufferStart(), 'latin1'))
}

/** Bytes that the kernel has not taken yet, including those of this turn. */
export function unsentBytes(socket: Socket): number {
  return socket.writableLength + waiting(socket)
}
