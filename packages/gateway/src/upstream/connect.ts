import type { Socket } from 'node:net'
import type { Runtime } from 'sallyport/internal'
import type { UpstreamTls } from '../model/config.ts'
import { isInterim, MAX_ANSWER_BYTES, readAnswer } from './answer.ts'
import { evidenceOf, type Failure, failure } from './failure.ts'
import { openSocket } from './open-socket.ts'
import type { Address } from './backend.ts'

/** An opening handshake for a backend. */
export interface BackendRequest {
  readonly path: string
  /** All header lines except those of RFC 6455 §4.1, as `Name: value\r\n` each. `hostOf` writes Host. */
  readonly lines: string
  readonly hostOf: (address: Address) => string
  readonly subprotocols: readonly string[]
}

/** An open connection to a backend, paused after its 101. */
export interface BackendConnection {
  readonly ok: true
  readonly socket: Socket
  readonly subprotocol: string | null
  /** Frames that came together with the answer. */
  readonly head: Buffer
}

/** Where and how a connection is opened. */
export interface ConnectOptions {
  readonly address: Address
  readonly tls: UpstreamTls | null
  /** Time for TCP, TLS and the answer together, in ms. */
  readonly timeoutMs: number
  readonly runtime: Runtime
}

const NOTHING = Buffer.alloc(0)

/**
 * Opens a WebSocket to a backend. Resolves with a failure and never rejects. A socket that did not become a WebSocket
 * is destroyed.
 *
 * @param signal aborts when the client is gone
 */
export function connectBackend(
  { address, tls, timeoutMs, runtime }: ConnectOptions,
  request: BackendRequest,
  signal: AbortSignal | null,
): Promise<BackendConnection | Failure> {
  return new Promise(resolve => {
    const key = runtime.randomBytes(16).toString('base64')
    const socket = openSocket(address, tls)
    let read: Buffer = NOTHING
    /** Bytes of interim answers (RFC 9110 §15.2) before `read`. */
    let skipped = 0
    let connected = false
    let reached = false
    let done = false

    const finish = (result: BackendConnection | Failure): void => {
      if (done) return
      done = true
      runtime.clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.off('data', onData)
      socket.off('error', onError)
      socket.off('close', onClose)
      // The owner of the socket listens from now on. A late error of a destroyed socket must not end the process.
      socket.on('error', destroy)
      if (!result.ok) socket.destroy()
      resolve(result)
    }
    const onAbort = (): void => finish(failure('GATEWAY_UPSTREAM_NONE', 'the client left meanwhile'))
    const onError = (error: NodeJS.ErrnoException): void => {
      const cause = error.code ?? error.name
      const evidence = evidenceOf(error, connected)
      finish(
        reached
          ? failure('GATEWAY_UPSTREAM_BROKEN', `the backend broke off before it answered (${cause})`, { evidence })
          : failure('GATEWAY_UPSTREAM_UNREACHABLE', `${cause} at ${address.label}`, { evidence }),
      )
    }
    const onClose = (): void =>
      finish(failure('GATEWAY_UPSTREAM_BROKEN', 'the backend closed the connection before it answered'))
    const onData = (chunk: Buffer): void => {
      let from = Math.max(0, read.length - 3)
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
      for (;;) {
        const end = read.indexOf('\r\n\r\n', from, 'latin1')
        if (skipped + (end === -1 ? read.length : end) > MAX_ANSWER_BYTES) {
          finish(failure('GATEWAY_UPSTREAM_BROKEN', `the head of the answer is over ${MAX_ANSWER_BYTES} bytes`))
          return
        }
        if (end === -1) return
        const head = read.toString('latin1', 0, end)
        if (!isInterim(head)) {
          socket.pause()
          const agreed = readAnswer(head, key, request.subprotocols)
          finish(agreed.ok ? { ...agreed, socket, head: read.subarray(end + 4) } : agreed)
          return
        }
        skipped += end + 4
        read = read.subarray(end + 4)
        from = 0
      }
    }
    // Bytes that came while the event loop was busy are read first. A busy gateway does not mean a silent backend.
    const timer = runtime.setTimeout(() => runtime.setImmediate(onLate), timeoutMs)
    const onLate = (): void =>
      finish(failure('GATEWAY_UPSTREAM_TIMEOUT', `no answer of ${address.label} within ${timeoutMs} ms`))

    signal?.addEventListener('abort', onAbort)
    socket.setNoDelay(true)
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.on('data', onData)
    socket.once('connect', () => {
      connected = true
    })
    socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      reached = true
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      socket.write(handshakeOf(request, address, key), 'latin1')
    })
    if (signal?.aborted === true) onAbort()
  })
}

/** After this time without a byte, in ms, the kernel checks whether the backend's machine is still there. */
const KEEP_ALIVE_MS = 30_000

function handshakeOf(request: BackendRequest, address: Address, key: string): string {
  const { subprotocols } = request
  const protocol = subprotocols.length === 0 ? '' : `Sec-WebSocket-Protocol: ${subprotocols.join(', ')}\r\n`
  return `GET ${request.path} HTTP/1.1\r\nHost: ${request.hostOf(address)}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${protocol}${request.lines}\r\n`
}

function destroy(this: Socket): void {
  this.destroy()
}
