import type { Socket } from 'node:net'
import { writeThrough } from './write-through.ts'

/** Most bytes that the replies of one turn may gather before they are sent. */
export const WRITE_BUFFER_BYTES = 65_536

// One buffer for all connections. Only one turn runs at a time, so only one connection writes at a time.
const bytes = Buffer.allocUnsafeSlow(WRITE_BUFFER_BYTES)
let used = 0
let owner: Socket | null = null
/** Whether the owner's bytes also wait for the turns that follow at once. */
let gathers = false
let turns = 0
let scheduled = false
let gathering = false

/**
 * Room for one frame of `socket`, after its other bytes of this turn. The bytes of another connection are sent first.
 * All bytes leave together at the end of the turn. Over TLS they leave after all turns that the loop runs at once.
 * Without a turn they leave at the end of the tick. At most `WRITE_BUFFER_BYTES` may be requested.
 *
 * @returns the memory; the frame begins at `writeBufferStart()`, and its end is passed to `commit`
 */
export function reserve(socket: Socket, room: number): Buffer {
  if (owner !== socket || used + room > WRITE_BUFFER_BYTES) {
    flush()
    owner = socket
    // Over TLS each record read is a turn, and each write is a record with the work of a stream. So one write serves
    // all turns.
    gathers = 'encrypted' in socket
  }
  if (turns === 0 && !scheduled) {
    scheduled = true
    process.nextTick(flushScheduled)
  }
  return bytes
}

/** Where the next frame begins. */
export function writeBufferStart(): number {
  return used
}

/** Sets the end of the frame that was written into the memory of `reserve`. */
export function commit(end: number): void {
  used = end
}

/** Bytes of `socket` that wait here. */
export function waiting(socket: Socket): number {
  return owner === socket ? used : 0
}

/** Begins a turn. What is written until `endTurn` leaves in one write. */
export function beginTurn(): void {
  turns++
}

/** Ends a turn. Its bytes have left, or leave before the loop waits again. */
export function endTurn(): void {
  if (--turns > 0) return
  if (!gathers) flush()
  else if (owner !== null && !gathering) {
    gathering = true
    setImmediate(flushGathered)
  }
}

/** Sends the bytes of the socket that owns the write buffer. */
export function flush(): void {
  const socket = owner
  const length = used
  owner = null
  used = 0
  if (socket === null || length === 0 || !socket.writable) return
  const taken = writeThrough(socket, bytes, length)
  // The stream may keep the bytes, so it needs its own copy.
  if (taken < length) socket.write(Buffer.from(bytes.subarray(taken, length)))
}

function flushScheduled(): void {
  scheduled = false
  if (turns === 0) flush()
}

function flushGathered(): void {
  gathering = false
  if (turns === 0) flush()
}
