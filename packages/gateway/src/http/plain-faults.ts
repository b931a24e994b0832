import type { IncomingMessage } from 'node:http'
import type { HttpAnswer } from 'sallyport/embed'
import { gatewayAnswer } from './gateway-answer.ts'

/** Why a request of plain HTTP goes to no backend, whatever its route says. */
export interface PlainFault {
  readonly answer: HttpAnswer
  /** For the log; holds nothing of the peer. */
  readonly detail: string
}

/** Control characters in UTF-8, and the overlong forms that lenient readers take for them. */
const CONTROL = /[\0-\x1f\x7f]|\xc2[\x80-\x9f]|\xc0[\x80-\x9f]|\xc1\xbf|\xe0\x80[\x80-\x9f]|\xe0\x81\xbf/
const ESCAPE = /%([\da-f]{2})/gi

/**
 * Finds what two readers of one request could read differently: a body whose coding is not understood, a repeated Host, and
 * control characters in the path, escaped once or twice (`%0a`, `%250a`, `%c2%85`). Each is one line in a log, a header or a
 * file name of the backend.
 */
export function faultOfPlain(request: IncomingMessage): PlainFault | null {
  const { 'transfer-encoding': coding } = request.headers
  // Anything but `chunked` changes the body (RFC 9112 §6.1), and HTTP/1.0 knows no coding at all.
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || request.httpVersion === '1.0')) {
    return { answer: gatewayAnswer(501, 'GATEWAY_CODING_UNKNOWN'), detail: 'Transfer-Encoding is not chunked alone' }
  }
  if (hasTwoHosts(request.rawHeaders)) {
    return { answer: gatewayAnswer(400, 'SALLY_REQUEST_MALFORMED'), detail: 'Host is repeated' }
  }
  if (holdsControl(request.url?.split('?', 1)[0] ?? '')) {
    return { answer: gatewayAnswer(400, 'SALLY_REQUEST_MALFORMED'), detail: 'a control character in the path' }
  }
  return null
}

/**
 * Whether an answer can be passed on. The gateway asked for no other protocol, so 101 is none; a status below 200 or above
 * 599 has no meaning (RFC 9110 §15), and Node throws for one below 100; `gzip, chunked` is a body that nobody here can read.
 */
export function isPassable({ statusCode = 0, headers }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding']
  return statusCode >= 200 && statusCode <= 599 && (coding === undefined || coding.toLowerCase() === 'chunked')
}

/** Signs that a reason phrase may not hold (RFC 9112 §4). Node reads them, and throws when they are to be written. */
const UNWRITABLE = /[^\t -~\x80-\xff]/

/** Takes off a reason phrase that cannot be written; the status says it all. */
export function tidyReason(answer: IncomingMessage): void {
  if (UNWRITABLE.test(answer.statusMessage ?? '')) answer.statusMessage = ''
}

function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]!.toLowerCase() === 'host') hosts++
  return hosts > 1
}

function holdsControl(path: string): boolean {
  if (CONTROL.test(path)) return true
  if (!path.includes('%')) return false
  const once = unescaped(path)
  return CONTROL.test(once) || (once.includes('%') && CONTROL.test(unescaped(once)))
}

function unescaped(text: string): string {
  return text.replaceAll(ESCAPE, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)))
}
