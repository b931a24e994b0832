import type { Socket } from 'node:net'
import { writeThrough } from './write-through.ts'

/** Bytes that replies of one turn may gather before they leave. */
export const WRITE_BUFFER_BYTES = 65_536

// One for all connections: only one turn runs at a time, so only one connection writes at a time.
const bytes = Buffer.allocUnsafeSlow(WRITE_BUFFER_BYTES)
let used = 0
let owner: Socket | null = null
/** Whether the owner's bytes wait for the turns that come at once after this one. */
let gathers = false
let turns = 0
let scheduled = false
let gathering = false

/**
 * Room for one frame of `socket`, behind what it has written in this turn. Another connection's bytes leave first; all
 * leave together at the end of the turn, over TLS of the turns that the loop runs at once, or of the tick where no turn
 * runs. At most `WRITE_BUFFER_BYTES` may be asked for.
 *
 * @returns the memory; the frame begins at `writeBufferStart()`, and `commit` tells where it ends
 */
export function reserve(socket: Socket, room: number): Buffer {
  if (owner !== socket || used + room > WRITE_BUFFER_BYTES) {
    flush()
    owner = socket
    // Over TLS each record read is a turn, and each write is a record and a stream's work: one for all that was read.
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

/** Tells where the frame ends that was written into what `reserve` gave. */
export function commit(end: number): void {
  used = end
}

/** Bytes of `socket` that wait here. */
export function waiting(socket: Socket): number {
  return owner === socket ? used : 0
}

/** Begins a turn: what is written until `endTurn` leaves in one write. */
export function beginTurn(): void {
  turns++
}

/** Ends a turn; what it wrote has left, or leaves before the loop waits again. */
export function endTurn(): void {
  if (--turns > 0) return
  if (!gathers) flush()
  else if (owner !== null && !gathering) {
    gathering = true
    setImmediate(flushGathered)
  }
}

/** Sends what waits for the socket that owns the write buffer. */
export function flush(): void {
  const socket = owner
  const length = used
  owner = null
  used = 0
  if (socket === null || length === 0 || !socket.writable) return
  const taken = writeThrough(socket, bytes, length)
  // What the stream may keep must be its own memory.
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
