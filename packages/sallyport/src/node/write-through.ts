import { writeSync } from 'node:fs'
import { Socket } from 'node:net'

interface Handle {
  /** Negative after it was closed, so it never belongs to another socket. */
  readonly fd?: unknown
}
interface HandleSocket extends Socket {
  /** Null after the socket was destroyed. */
  readonly _handle?: Handle | null
}

/**
 * The errors of a socket that is full or whose peer is gone. The stream gets the same error and handles it. No peer can
 * use one of them to slow others down.
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
/** Node's names for handles that write bytes unchanged. TLS has a handle with a descriptor too. */
const PLAIN: ReadonlySet<string> = new Set(['TCP', 'Pipe'])
/** The classes of such handles seen so far. */
const plain = new Set<unknown>()

/** False after the system returned an error that sockets do not have. The fast path is then never used again. */
let possible = process.versions['bun'] === undefined && process.versions['deno'] === undefined

/**
 * The fast path of writing: one system call without the stream, whose work for a short message costs nearly as much as
 * the kernel's. It needs the descriptor of the socket's handle, which Node has on every system except Windows. It takes
 * nothing without a descriptor, over TLS, if the socket has its own way of writing, and while the stream has earlier
 * bytes to send.
 *
 * `socket.bytesWritten` does not count the bytes that are sent in this way.
 *
 * @returns how many of `bytes[0..length)` the kernel took; the stream must send the others
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

/** Whether the socket writes by Node's own method: no wrapper counts, throttles or encrypts. */
function isOwnWriter(socket: Socket): boolean {
  const { write, _write, _writev } = socket
  const own = Socket.prototype
  return write === own.write && _write === own._write && _writev === own._writev
}
