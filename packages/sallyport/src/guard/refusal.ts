import { STATUS_CODES } from 'node:http'
import { DENIALS } from '../policy/denials.ts'
import type { Denial } from '../policy/verdict.ts'

/** An HTTP answer that ends a connection. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** The answer to a handshake that was refused. The body tells the code and nothing else. */
export interface Refusal extends HttpAnswer {
  readonly denial: Denial
}

/** What a denied handshake is answered with (RFC 6455 §4.2.2, §4.4). */
export function refusalOf(denial: Denial): Refusal {
  const status = DENIALS[denial.code].http ?? 403
  const body = `{"code":"${denial.code}"}`
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Connection: 'close',
  }
  if (denial.code === 'SALLY_REQUEST_VERSION') headers['Sec-WebSocket-Version'] = '13'
  if (status === 426 && denial.code === 'SALLY_TRANSPORT_INSECURE') headers['Upgrade'] = 'TLS/1.2, HTTP/1.1'
  if (denial.retryAfter !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(denial.retryAfter)))
  return { denial, status, headers, body }
}

/** The refusal as bytes for the socket, in one write. */
export function refusalText({ status, headers, body }: HttpAnswer): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n${body}`
}
