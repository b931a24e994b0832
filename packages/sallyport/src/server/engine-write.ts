import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'

interface HandleSocket extends Socket {
  /** Null once the socket is destroyed. Its `fd` is negative once it is closed, so it is never another's. */
  readonly _handle?: { readonly fd?: unknown } | null
}

/** What a socket that is full, or whose peer is gone, answers: its stream finds the same, and knows what to do. */
const EXPECTED: ReadonlySet<unknown> = new Set(['EAGAIN', 'EWOULDBLOCK', 'EPIPE', 'ECONNRESET', 'EBADF', 'ENOTCONN'])

/** False once the system answered what no socket answers: nothing is tried again. */
let possible = process.versions['bun'] === undefined && process.versions['deno'] === undefined

/**
 * The fast path of writing: one system call past the stream, whose own work for a short message costs nearly as much
 * as the kernel's. It needs the descriptor of the socket's handle, which Node has on every system but Windows; where
 * there is none, over TLS, and while the stream has bytes of its own to send first, it takes nothing.
 *
 * `socket.bytesWritten` does not count what goes this way.
 *
 * @returns how many of `bytes[0..length)` the kernel took; the others are the stream's to send
 */
export function writeThrough(socket: Socket, bytes: Buffer, length: number): number {
  if (!possible || socket.writableLength > 0 || socket.writableCorked > 0 || socket.connecting) return 0
  const fd = (socket as HandleSocket)._handle?.fd
  if (typeof fd !== 'number' || fd < 0 || 'encrypted' in socket) return 0
  try {
    return writeSync(fd, bytes, 0, length)
  } catch (error) {
    if (!EXPECTED.has((error as NodeJS.ErrnoException).code)) possible = false
    return 0
  }
}
