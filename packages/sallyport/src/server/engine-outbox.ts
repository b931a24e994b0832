import type { Socket } from 'node:net'
import { writeThrough } from './engine-write.ts'

/** Bytes that replies of one turn may gather before they leave. */
export const OUTBOX_BYTES = 65_536

// One for all connections: only one turn runs at a time, so only one connection writes at a time.
const bytes = Buffer.allocUnsafeSlow(OUTBOX_BYTES)
let used = 0
let owner: Socket | null = null
let turns = 0
let scheduled = false

/**
 * Room for one frame of `socket`, behind what it has written in this turn. Another connection's bytes leave first; all
 * leave together at the end of the turn, or of the tick where no turn runs. At most `OUTBOX_BYTES` may be asked for.
 *
 * @returns the memory; the frame begins at `outboxStart()`, and `commit` tells where it ends
 */
export function reserve(socket: Socket, room: number): Buffer {
  if (owner !== socket || used + room > OUTBOX_BYTES) {
    flush()
    owner = socket
  }
  if (turns === 0 && !scheduled) {
    scheduled = true
    process.nextTick(flushScheduled)
  }
  return bytes
}

/** Where the next frame begins. */
export function outboxStart(): number {
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

/** Ends a turn. */
export function endTurn(): void {
  if (--turns === 0) flush()
}

/** Sends what waits for the socket that owns the outbox. */
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
