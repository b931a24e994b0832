import { writeSync } from 'node:fs'
import { Socket } from 'node:net'

interface Handle {
  /** Negative once it is closed, so it is never another's. */
  readonly fd?: unknown
}
interface HandleSocket extends Socket {
  /** Null once the socket is destroyed. */
  readonly _handle?: Handle | null
}

/**
 * What a socket answers that is full, or whose peer is gone, however the network says so: its stream finds the same,
 * and knows what to do. None of it may be a peer's way to slow down the others.
 */
const EXPECTED: ReadonlySet<unknown> = new Set([
  'EAGAIN',
  'EWOULDBLOCK',
  'EINTR',
  'EPIPE',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOBUFS',
  'ENOMEM',
  'EBADF',
])
/** Node's names for what writes bytes as they are; TLS has a handle that knows the descriptor too. */
const PLAIN: ReadonlySet<string> = new Set(['TCP', 'Pipe'])
/** The classes of such handles that were seen. */
const plain = new Set<unknown>()

/** False once the system answered what no socket answers: nothing is tried again. */
let possible = process.versions['bun'] === undefined && process.versions['deno'] === undefined

/**
 * The fast path of writing: one system call past the stream, whose own work for a short message costs nearly as much
 * as the kernel's. It needs the descriptor of the socket's handle, which Node has on every system but Windows; where
 * there is none, over TLS, where the socket writes in a way of its own, and while the stream has bytes to send first, it
 * takes nothing.
 *
 * `socket.bytesWritten` does not count what goes this way.
 *
 * @returns how many of `bytes[0..length)` the kernel took; the others are the stream's to send
 */
export function writeThrough(socket: Socket, bytes: Buffer, length: number): number {
  if (!possible || socket.writableLength > 0 || socket.writableCorked > 0 || socket.connecting) return 0
  const handle = (socket as HandleSocket)._handle
  if (handle == null || !isPlain(handle) || !isOwnWriter(socket)) return 0
  const { fd } = handle
  if (typeof fd !== 'number' || fd < 0 || 'encrypted' in socket) return 0
  try {
    return writeSync(fd, bytes, 0, length)
  } catch (error) {
    if (!EXPECTED.has((error as NodeJS.ErrnoException).code)) possible = false
    return 0
  }
}

function isPlain({ constructor: kind }: Handle): boolean {
  if (plain.has(kind)) return true
  if (!PLAIN.has(kind.name)) return false
  plain.add(kind)
  return true
}

/** Whether nobody stands before the socket's way of writing: to count, to throttle, to encrypt. */
function isOwnWriter(socket: Socket): boolean {
  const { write, _write, _writev } = socket
  const own = Socket.prototype
  return write === own.write && _write === own._write && _writev === own._writev
}
