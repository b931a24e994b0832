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

/** What is read of an unwanted body before the connection is cut, in bytes: enough for an honest client's `{}`. */
const BODY_BYTES = 16_384

/** RFC 9113 §8.1: the answer is whole, and the rest of the request is not wanted. */
const NO_ERROR = 0

/** What of a request over HTTP/2 is not in the types of one over HTTP/1.1. */
interface Streamed extends IncomingMessage {
  readonly stream?: { close(code: number): void }
}

/** A web answer. */
export function writeToWeb({ status, headers, body }: TicketAnswer): Response {
  return new Response(body, { status, headers })
}

/** Writes to node:http, node:http2's compatibility layer and Express; a client that has gone is no error. */
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

/** Throws an unread body away, as much as is small; whether one is still under way, after which an HTTP/1 connection must end. */
function drain(request: IncomingMessage): boolean {
  if (request.complete || request.readableEnded || request.destroyed) return false
  const { stream } = request as Streamed
  let bytes = 0
  request.on('error', () => {})
  request.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length
    if (bytes <= BODY_BYTES) return
    // Over HTTP/2 the stream is closed behind its answer; the connection bears other streams.
    if (stream === undefined) request.destroy()
    else stream.close(NO_ERROR)
  })
  return request.httpVersionMajor < 2
}
