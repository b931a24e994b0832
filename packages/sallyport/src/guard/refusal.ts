import { refuseAnswer } from '../wire/answer.ts'
import { denialRow } from '../policy/denials.ts'
import type { Code, Denial } from '../model/verdict.ts'

/** An HTTP answer that ends a connection. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** The answer to a refused handshake. Its body contains only the code. */
export interface Refusal extends HttpAnswer {
  readonly denial: Denial
}

/** Kept answers and their bytes, by code. Most denials of one code get the same answer. */
const ANSWERS = new Map<Code, HttpAnswer>()
const TEXTS = new WeakMap<HttpAnswer['headers'], string>()
/**
 * Answers with a wait of up to this many seconds are kept too. In a flood nearly all refusals have one of these few
 * waits.
 */
const KEPT_WAITS = 60
const WAITS = new Map<Code, (HttpAnswer | undefined)[]>()

/** The HTTP answer to a denied handshake (RFC 6455 §4.2.2, §4.4). */
export function refusalOf(denial: Denial): Refusal {
  const { code, retryAfter } = denial
  let answer = ANSWERS.get(code)
  if (answer === undefined) {
    answer = answerOf(code)
    ANSWERS.set(code, answer)
    TEXTS.set(answer.headers, textOf(answer))
  }
  const { status, headers, body } = retryAfter === undefined ? answer : waiting(code, answer, retryAfter)
  return { denial, status, headers, body }
}

function waiting(code: Code, answer: HttpAnswer, retryAfter: number): HttpAnswer {
  const seconds = Math.max(1, Math.ceil(retryAfter))
  const kept = WAITS.get(code)
  const known = kept?.[seconds]
  if (known !== undefined) return known
  const headers = Object.freeze({ ...answer.headers, 'Retry-After': String(seconds) })
  const made: HttpAnswer = { ...answer, headers }
  if (!(seconds <= KEPT_WAITS)) return made
  TEXTS.set(headers, textOf(made))
  const list = kept ?? Array.from({ length: KEPT_WAITS + 1 }, () => undefined)
  list[seconds] = made
  WAITS.set(code, list)
  return made
}

/**
 * The refusal as text for one write to the socket. Each character is one byte (`latin1`). Throws a `TypeError` for a
 * header that is not one line.
 */
export function refusalText(answer: HttpAnswer): string {
  return TEXTS.get(answer.headers) ?? textOf(answer)
}

function answerOf(code: Code): HttpAnswer {
  const status = denialRow(code).http ?? 403
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Connection: 'close',
  }
  if (code === 'SALLY_REQUEST_VERSION') headers['Sec-WebSocket-Version'] = '13'
  if (status === 426 && code === 'SALLY_TRANSPORT_INSECURE') headers['Upgrade'] = 'TLS/1.2, HTTP/1.1'
  return { status, headers: Object.freeze(headers), body: `{"code":"${code}"}` }
}

function textOf({ status, headers, body }: HttpAnswer): string {
  // It is written many times, so it is copied to one flat string. A joined string would be a tree of its parts.
  return Buffer.from(refuseAnswer(status, headers, body)).toString('latin1')
}
