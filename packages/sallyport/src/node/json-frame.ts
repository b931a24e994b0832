import type { Socket } from 'node:net'
import { writeJsonFrame } from '../wire/encoder.ts'
import { NO_ROOM, NOT_PLAIN } from '../wire/json-writer.ts'
import { commit, flush, WRITE_BUFFER_BYTES, writeBufferStart, reserve } from './write-buffer.ts'

/** Below this many bytes, JSON.stringify and encoding its text are faster: they need no check of each object. */
const SHORT_BYTES = 256
/** Length of the last text sent. The next one probably has a similar length. */
let lastBytes = 0
/** Number of messages left to JSON.stringify after one that was not plain. */
const PATIENCE = 16
let patience = 0

/** Records the length of a text that JSON.stringify wrote. */
export function tellTextLength(bytes: number): void {
  lastBytes = bytes
}

/**
 * Sends a value as JSON in one text frame, written directly into the write buffer. No code of the value runs.
 *
 * @returns bytes of the text; -1 if nothing was sent, and JSON.stringify must be used
 */
export function sendJsonFrame(socket: Socket, value: object): number {
  if (lastBytes < SHORT_BYTES || patience > 0) {
    patience = Math.max(0, patience - 1)
    return -1
  }
  let sent = write(socket, value)
  if (sent === NO_ROOM) {
    // Tries again with the whole buffer.
    flush()
    sent = write(socket, value)
  }
  if (sent === NOT_PLAIN) patience = PATIENCE
  return Math.max(sent, -1)
}

function write(socket: Socket, value: object): number {
  const memory = reserve(socket, 0)
  const start = writeBufferStart()
  const stop = writeJsonFrame(memory, start, WRITE_BUFFER_BYTES, value)
  if (stop < 0) return stop
  commit(stop)
  const framed = stop - start
  lastBytes = framed - (framed < 128 ? 2 : framed < 0x10004 ? 4 : 10)
  return lastBytes
}
