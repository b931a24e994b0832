import { randomBytes } from 'node:crypto'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { UpstreamTls } from '../config/types.ts'
import { MAX_ANSWER_BYTES, readAnswer } from './answer.ts'
import { type Failure, failure } from './failure.ts'
import type { Address } from './target.ts'

/** An opening handshake for a backend. */
export interface BackendRequest {
  readonly path: string
  /** Every header line but those that RFC 6455 §4.1 prescribes: `Name: value\r\n` each. Host is written by `hostOf`. */
  readonly lines: string
  readonly hostOf: (address: Address) => string
  readonly subprotocols: readonly string[]
}

/** An open connection to a backend, paused, behind its 101. */
export interface BackendConnection {
  readonly ok: true
  readonly socket: Socket
  readonly subprotocol: string | null
  /** Frames that came with the answer. */
  readonly head: Buffer
}

/** Where and how a connection is opened. */
export interface ConnectOptions {
  readonly address: Address
  readonly tls: UpstreamTls | null
  /** TCP, TLS and the answer together, in ms. */
  readonly timeoutMs: number
}

const NOTHING = Buffer.alloc(0)

/**
 * Opens a WebSocket to a backend. Resolves with a failure, never rejects; a socket that did not become one is destroyed.
 *
 * @param signal aborts when the client is gone
 */
export function connectBackend(
  { address, tls, timeoutMs }: ConnectOptions,
  request: BackendRequest,
  signal: AbortSignal | null,
): Promise<BackendConnection | Failure> {
  return new Promise(resolve => {
    const key = randomBytes(16).toString('base64')
    const socket = openSocket(address, tls)
    let read: Buffer = NOTHING
    let reached = false

    const finish = (result: BackendConnection | Failure): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.off('data', onData)
      socket.off('error', onError)
      socket.off('close', onClose)
      // From here on whoever has the socket listens; a late error of a destroyed one must not end the process.
      socket.on('error', destroy)
      if (!result.ok) socket.destroy()
      resolve(result)
    }
    const onAbort = (): void => finish(failure('GATEWAY_UPSTREAM_NONE', 'the client left meanwhile'))
    const onError = (error: NodeJS.ErrnoException): void =>
      finish(
        reached
          ? failure('GATEWAY_UPSTREAM_BROKEN', `the backend broke off before it answered (${error.code ?? error.name})`)
          : failure('GATEWAY_UPSTREAM_UNREACHABLE', `${error.code ?? error.name} at ${address.label}`),
      )
    const onClose = (): void =>
      finish(failure('GATEWAY_UPSTREAM_BROKEN', 'the backend closed the connection before it answered'))
    const onData = (chunk: Buffer): void => {
      const from = Math.max(0, read.length - 3)
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
      const end = read.indexOf('\r\n\r\n', from, 'latin1')
      if (end === -1 ? read.length > MAX_ANSWER_BYTES : end > MAX_ANSWER_BYTES) {
        finish(failure('GATEWAY_UPSTREAM_BROKEN', `the head of the answer is over ${MAX_ANSWER_BYTES} bytes`))
      } else if (end !== -1) {
        socket.pause()
        const agreed = readAnswer(read.toString('latin1', 0, end), key, request.subprotocols)
        finish(agreed.ok ? { ...agreed, socket, head: read.subarray(end + 4) } : agreed)
      }
    }
    const timer = setTimeout(() => {
      finish(failure('GATEWAY_UPSTREAM_TIMEOUT', `no answer of ${address.label} within ${timeoutMs} ms`))
    }, timeoutMs)

    signal?.addEventListener('abort', onAbort)
    socket.setNoDelay(true)
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.on('data', onData)
    socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      reached = true
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      socket.write(handshakeOf(request, address, key), 'latin1')
    })
    if (signal?.aborted === true) onAbort()
  })
}

/** After this long without a byte the kernel asks whether the backend's machine is still there, in ms. */
const KEEP_ALIVE_MS = 30_000

function handshakeOf(request: BackendRequest, address: Address, key: string): string {
  const { subprotocols } = request
  const protocol = subprotocols.length === 0 ? '' : `Sec-WebSocket-Protocol: ${subprotocols.join(', ')}\r\n`
  return `GET ${request.path} HTTP/1.1\r\nHost: ${request.hostOf(address)}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${protocol}${request.lines}\r\n`
}

export function openSocket(address: Address, tls: UpstreamTls | null): Socket {
  if (!address.tls) return connectPlain(address.connect)
  const servername = tls?.serverName ?? address.hostname
  return connectTls({
    ...address.connect,
    // An IP address is no SNI name (RFC 6066 §3); it is verified against the certificate all the same.
    ...(/^[\d.]+$|:/.test(servername) ? {} : { servername }),
    ...(tls?.ca == null ? {} : { ca: tls.ca }),
    rejectUnauthorized: tls?.dangerouslyAcceptAnyCertificate !== true,
    ALPNProtocols: ['http/1.1'],
  })
}

function destroy(this: Socket): void {
  this.destroy()
}
