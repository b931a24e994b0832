import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/** What of Node's handle of a socket is used; runtimes with sockets of their own have none. */
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
 * Whether the peer has reset a connection that is not read: the kernel knows, and tells whoever writes, even nothing. False
 * where there is no descriptor to ask (Windows, runtimes with sockets of their own): `lifetime/heartbeat` finds it there.
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

/** Stops reading at once. `pause()` alone lets the stream read once more, into a buffer of its own that nobody counts. */
export function stopHandle(socket: Socket): void {
  stop(socket)
  // The stream starts it again at the end of this turn, where there is room in its buffer.
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

/** Reads again after {@link stopHandle}; the stream itself believes that it never stopped. */
export function startHandle(socket: Socket): void {
  const handle = handleOf(socket)
  if (handle?.reading !== false || handle.readStart === undefined || socket.destroyed) return
  handle.reading = true
  handle.readStart()
}
