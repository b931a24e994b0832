import { hash } from 'node:crypto'
import { STATUS_CODES } from 'node:http'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const VALUE = /^[\t -~]*$/

/** Header lines of an answer, by name. Names are sent as given. */
export interface AnswerHeaders {
  readonly [name: string]: string
}

/**
 * The value of `Sec-WebSocket-Accept` for a key (RFC 6455 §4.2.2). It proves that the server understands WebSocket, and
 * protects nothing.
 */
export function acceptKey(key: string): string {
  return hash('sha1', key + GUID, 'base64')
}

/**
 * The answer that opens a connection (RFC 6455 §4.2.2).
 *
 * @param headers further ones, such as `Sec-WebSocket-Protocol`
 * @throws TypeError when a header could not be sent as one line
 */
export function acceptAnswer(key: string, headers: AnswerHeaders): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n${headerLines(headers)}\r\n`
}

/**
 * The answer that refuses a handshake and ends the connection (RFC 6455 §4.2.2 item 4). `Connection: close` is added
 * where `headers` have no Connection.
 *
 * @throws TypeError when a header could not be sent as one line, or is Content-Length
 */
export function refuseAnswer(status: number, headers: AnswerHeaders, body: string): string {
  const names = new Set(Object.keys(headers).map(name => name.toLowerCase()))
  if (names.has('content-length')) throw new TypeError('refuseAnswer writes Content-Length itself: leave it out.')
  const connection = names.has('connection') ? '' : 'Connection: close\r\n'
  const length = Buffer.byteLength(body)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${headerLines(headers)}${connection}Content-Length: ${length}\r\n\r\n${body}`
}

function headerLines(headers: AnswerHeaders): string {
  let lines = ''
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || !VALUE.test(value)) {
      throw new TypeError(`The header ${JSON.stringify(name)} cannot be sent as one line of printable ASCII.`)
    }
    lines += `${name}: ${value}\r\n`
  }
  return lines
}
