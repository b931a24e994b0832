import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TicketAnswer } from './ticket-answer.ts'

/** The part of Fastify's request that is used. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

/** The part of Fastify's reply that is used. */
export interface FastifyReplyLike {
  readonly sent: boolean
  code(status: number): unknown
  header(name: string, value: string): unknown
  send(body: string): unknown
}

/** Most bytes that are read of an unwanted body before the connection is cut. Enough for an honest client's `{}`. */
const BODY_BYTES = 16_384

/** RFC 9113 §8.1: the answer is complete, and the rest of the request is not needed. */
const NO_ERROR = 0

/** The members of an HTTP/2 request that the types of HTTP/1.1 lack. */
interface Streamed extends IncomingMessage {
  readonly stream?: { close(code: number): void }
}

/** The answer as a web `Response`. */
export function writeToWeb({ status, headers, body }: TicketAnswer): Response {
  return new Response(body, { status, headers })
}

/** Writes to node:http, to node:http2's compatibility layer, and to Express. A client that has gone is not an error. */
export function writeToNode(answer: TicketAnswer, request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) return
  response.on('error', () => {})
  response.statusCode = answer.status
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value)
  response.setHeader('Content-Length', Buffer.byteLength(answer.body))
  if (drain(request)) response.setHeader('Connection', 'close')
  response.end(answer.body)
}

/** Writes through Fastify's reply, so that its hooks run. */
export function writeToFastify(
  answer: TicketAnswer,
  request: IncomingMessage,
  reply: FastifyReplyLike,
): FastifyReplyLike {
  if (reply.sent) return reply
  reply.code(answer.status)
  for (const [name, value] of Object.entries(answer.headers)) reply.header(name, value)
  if (drain(request)) reply.header('Connection', 'close')
  reply.send(answer.body)
  return reply
}

/**
 * Reads and drops an unwanted body up to a bound. Returns whether a part is still under way. Then an HTTP/1 connection
 * must end.
 */
function drain(request: IncomingMessage): boolean {
  if (request.complete || request.readableEnded || request.destroyed) return false
  const { stream } = request as Streamed
  let bytes = 0
  request.on('error', () => {})
  request.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length
    if (bytes <= BODY_BYTES) return
    // Over HTTP/2 only the stream is closed after its answer. The connection carries other streams.
    if (stream === undefined) request.destroy()
    else stream.close(NO_ERROR)
  })
  return request.httpVersionMajor < 2
}
