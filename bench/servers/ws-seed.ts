// The design that the project began from: verifyClient with an exact Origin and a CSRF token, Joi, a limiter, on `ws`.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import Joi from 'joi'
import { WebSocketServer } from 'ws'
import { type Chat, cookieOf, MAX_TEXT, ORIGIN, ready, reply, SESSION_COOKIE } from './chat.ts'

const ALLOWED_ORIGINS = new Set([ORIGIN])
const schemas: Record<string, Joi.ObjectSchema<Chat>> = {
  chat: Joi.object<Chat>({
    type: Joi.string().valid('chat').required(),
    message: Joi.string().max(MAX_TEXT).required(),
    roomId: Joi.string().uuid().required(),
  }),
}

function validateMessageSchema(data: { readonly type?: unknown }): Chat {
  const schema = schemas[String(data.type)]
  if (schema === undefined) throw new Error('Unknown message type')
  const { error, value } = schema.validate(data, { stripUnknown: true })
  if (error !== undefined) throw new Error(`Validation failed: ${error.message}`)
  return value
}

function createRateLimiter(limit: number, windowMs: number): { check(): boolean } {
  let since = Date.now()
  let count = 0
  return {
    check() {
      const now = Date.now()
      if (now - since > windowMs) {
        since = now
        count = 0
      }
      return ++count <= limit
    },
  }
}

const validToken = (token: string, request: IncomingMessage): boolean =>
  token.length === 36 && cookieOf(request.headers.cookie, SESSION_COOKIE) !== undefined

const server = createServer()
const sockets = new WebSocketServer({
  server,
  verifyClient: ({ origin, req }, callback) => {
    if (!origin || !ALLOWED_ORIGINS.has(origin)) {
      callback(false, 403, 'Forbidden')
      return
    }
    const token = new URL(req.url ?? '/', `ws://${req.headers.host}`).searchParams.get('csrf')
    if (token === null || !validToken(token, req)) {
      callback(false, 403, 'Invalid CSRF token')
      return
    }
    callback(true)
  },
})
sockets.on('connection', (socket, request) => {
  socket.on('error', () => socket.terminate())
  if (cookieOf(request.headers.cookie, SESSION_COOKIE) === undefined) {
    socket.close(1008, 'Unauthorized')
    return
  }
  const limiter = createRateLimiter(1e9, 60_000)
  socket.on('message', message => {
    if (!limiter.check()) {
      socket.close(1008, 'Rate limit exceeded')
      return
    }
    try {
      socket.send(JSON.stringify(reply(validateMessageSchema(JSON.parse((message as Buffer).toString())))))
    } catch {
      socket.send(JSON.stringify({ error: 'Invalid message format' }))
    }
  })
})
server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port))
