import type { Runtime } from 'sallyport/internal'
import type { UpstreamTls } from '../model/config.ts'
import { isOwnFault } from './failure.ts'
import { openSocket } from './open-socket.ts'
import type { Address } from './backend.ts'

/** The backend's answer to one small request, or the reason why there is none. */
export type StatusAnswer =
  | { readonly status: number }
  | {
      readonly status: null
      readonly reason: string
      /** The gateway itself is the cause, so this says nothing about the backend. */
      readonly own: boolean
    }

/** Greatest part of an answer that is read, in bytes. It contains the status line. */
const LOOK_BYTES = 32

/** Where and how a backend is asked. */
export interface StatusQuestion {
  readonly address: Address
  readonly tls: UpstreamTls | null
  /** The whole request. */
  readonly request: string
  readonly timeoutMs: number
  readonly runtime: Runtime
  /** Aborts when the answer is not needed any more. */
  readonly signal?: AbortSignal
}

/** Asks a backend on a separate connection. Never rejects. The connection is closed afterwards. */
export function askStatus({
  address,
  tls,
  request,
  timeoutMs,
  signal,
  runtime,
}: StatusQuestion): Promise<StatusAnswer> {
  return new Promise(resolve => {
    const socket = openSocket(address, tls)
    let read = ''
    const finish = (answer: StatusAnswer): void => {
      runtime.clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(answer)
    }
    const onAbort = (): void => fail('nobody waits for the answer')
    const fail = (reason: string, own = false): void => finish({ status: null, reason, own })
    // Bytes that came while the event loop was busy are read first. A busy gateway does not mean a silent backend.
    const timer = runtime.setTimeout(() => runtime.setImmediate(fail, `no answer within ${timeoutMs} ms`), timeoutMs)
    timer.unref()
    signal?.addEventListener('abort', onAbort)
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.name, isOwnFault(error)))
    socket.on('close', () => fail('the connection closed before an answer'))
    socket.on('data', (chunk: Buffer) => {
      read += chunk.toString('latin1', 0, LOOK_BYTES)
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(read)?.[1]
      if (status !== undefined) finish({ status: Number(status) })
      else if (read.length >= LOOK_BYTES) fail('it does not answer in HTTP/1.1')
    })
    socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      socket.write(request, 'latin1')
    })
  })
}

/** A plain request for a page. */
export function plainRequest(path: string, { host }: Address): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
}
