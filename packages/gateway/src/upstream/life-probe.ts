import type { Runtime } from 'sallyport/internal'
import type { UpstreamTls } from '../model/config.ts'
import { askStatus, plainRequest, type StatusAnswer } from './http-status.ts'
import type { Address } from './backend.ts'

/** Whether a backend is alive. Null if it is, otherwise the reason. `own`: the gateway itself is the cause. */
export type LifeAnswer = { readonly reason: string; readonly own: boolean } | null

/** Tests whether a backend is alive. Never rejects. */
export type LifeProbe = (address: Address) => Promise<LifeAnswer>

/**
 * Asks a backend in two ways at once, with an opening handshake and with a plain request, because some answer only one
 * of them. Any HTTP answer to either proves life, whatever its status. Clients have no influence on these requests.
 *
 * @param path of the plain request
 */
export function createLifeProbe(path: string, timeoutMs: number, tls: UpstreamTls | null, runtime: Runtime): LifeProbe {
  return address => {
    const { promise, resolve } = Promise.withResolvers<LifeAnswer>()
    const known = new AbortController()
    const failed: (StatusAnswer & { status: null })[] = []
    const requests = [handshake(address, runtime.randomBytes(16)), plainRequest(path, address)]
    const judge = (answer: StatusAnswer): void => {
      if (answer.status === null) failed.push(answer)
      if (answer.status === null && failed.length < requests.length) return
      resolve(answer.status === null ? { reason: failed[0]!.reason, own: failed.some(({ own }) => own) } : null)
      known.abort()
    }
    for (const request of requests) {
      void askStatus({ address, tls, request, timeoutMs, signal: known.signal, runtime }).then(judge)
    }
    return promise
  }
}

function handshake({ host }: Address, nonce: Buffer): string {
  const key = nonce.toString('base64')
  return `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
}
