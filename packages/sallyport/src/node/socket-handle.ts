import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/** The members of Node's socket handle that are used. Runtimes with their own sockets have no handle. */
interface Handle {
  readonly fd?: unknown
  reading?: boolean
  readStop?(): unknown
  readStart?(): unknown
}

const NOTHING = Buffer.alloc(0)
const GONE: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'EHOSTUNREACH'])

function handleOf(socket: Socket): Handle | null {
  return (socket as { readonly _handle?: Handle | null })._handle ?? null
}

/**
 * Whether the peer has reset a connection that is not read. The kernel knows it and reports it at a write, even of no
 * bytes. False if there is no descriptor (Windows, runtimes with their own sockets). There `lifetime/heartbeat` detects
 * it.
 */
export function isReset(socket: Socket): boolean {
  const fd = handleOf(socket)?.fd
  if (typeof fd !== 'number' || fd < 0 || socket.connecting) return false
  try {
    writeSync(fd, NOTHING, 0, 0)
    return false
  } catch (error) {
    return GONE.has((error as NodeJS.ErrnoException).code)
  }
}

/**
 * Stops reading at once. `pause()` alone lets the stream read once more, into its own buffer, which no bound counts.
 */
export function stopHandle(socket: Socket): void {
  stop(socket)
  // The stream starts the handle again at the end of this turn if its buffer has room.
  setImmediate(stopPaused, socket)
}

function stopPaused(socket: Socket): void {
  if (socket.isPaused()) stop(socket)
}

function stop(socket: Socket): void {
  const handle = handleOf(socket)
  if (handle?.reading !== true || handle.readStop === undefined) return
  handle.reading = false
  handle.readStop()
}

/** Reads again after {@link stopHandle}. The stream itself does not know that it was stopped. */
export function startHandle(socket: Socket): void {
  const handle = handleOf(socket)
  if (handle?.reading !== false || handle.readStart === undefined || socket.destroyed) return
  handle.reading = true
  handle.readStart()
}
