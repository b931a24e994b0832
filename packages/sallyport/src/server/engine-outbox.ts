import type { Socket } from 'node:net'

/** Bytes that replies of one turn may gather before they leave. */
export const OUTBOX_BYTES = 65_536

// One for all connections: only one turn runs at a time, so only one connection writes at a time.
let bytes = Buffer.allocUnsafeSlow(OUTBOX_BYTES)
let used = 0
let owner: Socket | null = null
let turns = 0
let scheduled = false
/** Somebody writes behind what is used, and may call what writes here too. */
let lent = false

/**
 * Room for one frame of `socket`, behind what it has written in this turn. Another connection's bytes leave first; all
 * leave together at the end of the turn, or of the tick where no turn runs. At most `OUTBOX_BYTES` may be asked for.
 *
 * @returns the memory; the frame begins at `outboxStart()`, and `commit` tells where it ends
 */
export function reserve(socket: Socket, room: number): Buffer {
  if (lent) {
    // Whoever has the memory goes on writing into it, and finds that it is no longer ours.
    flush()
    bytes = Buffer.allocUnsafeSlow(OUTBOX_BYTES)
    lent = false
  }
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

/**
 * Lends all the room that is left behind what `socket` has written, to who cannot tell how much it needs and may run
 * code of the app meanwhile. The frame begins at `outboxStart()`, and leaves when `settle` is told where it ends.
 */
export function lend(socket: Socket): Buffer {
  const memory = reserve(socket, 0)
  lent = true
  return memory
}

/**
 * Takes back what was lent, with a frame in `[start, end)`.
 *
 * @returns false when something else was sent meanwhile: the frame is lost, and to be written again
 */
export function settle(socket: Socket, memory: Buffer, start: number, end: number): boolean {
  if (bytes !== memory) return false
  lent = false
  if (owner !== socket || used !== start) return false
  used = end
  return true
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
  if (socket.writableLength > 0 || 'encrypted' in socket) {
    // The socket keeps what it cannot send at once: these bytes must be its own.
    socket.write(Buffer.from(bytes.subarray(0, length)))
    return
  }
  socket.write(bytes.subarray(0, length))
  // Sent whole, as it nearly always is, the memory is free again; else the kernel's write still reads from it.
  if (socket.writableLength > 0) bytes = Buffer.allocUnsafeSlow(OUTBOX_BYTES)
}

function flushScheduled(): void {
  scheduled = false
  if (turns === 0) flush()
}
