import type { Socket } from 'node:net'
import { NO_ROOM, writeJson } from '../message/json-writer.ts'
import { headerBytes, writeTextHeader } from '../wire/index.ts'
import { flush, lend, OUTBOX_BYTES, outboxStart, settle } from './engine-outbox.ts'

/** The size of the last header: how long a message is, is known only once it is written. */
let guess = 2

/**
 * Sends a value as JSON in one text frame, written straight into the outbox.
 *
 * @returns bytes of the text; -1 where nothing was sent, and JSON.stringify is to be asked
 */
export function sendJsonFrame(socket: Socket, value: object): number {
  const sent = write(socket, value)
  if (sent !== NO_ROOM) return sent
  // Once more with all the room there is, unless it was all.
  flush()
  return Math.max(write(socket, value), -1)
}

function write(socket: Socket, value: object): number {
  const memory = lend(socket)
  const start = outboxStart()
  const text = start + guess
  let end = writeJson(memory, text, OUTBOX_BYTES, value)
  const length = end - text
  if (end >= 0) {
    const header = headerBytes(length)
    if (header !== guess) {
      if (start + header + length > OUTBOX_BYTES) end = NO_ROOM
      else {
        memory.copyWithin(start + header, text, end)
        end = start + header + length
        guess = header
      }
    }
    if (end >= 0) writeTextHeader(memory, start, length)
  }
  const isSettled = settle(socket, memory, start, end < 0 ? start : end)
  return end < 0 ? end : isSettled ? length : -1
}
