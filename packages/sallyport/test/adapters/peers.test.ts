import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { test } from 'node:test'
import express from 'express'
import expressSession from 'express-session'
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { createGuard, type Session } from 'sallyport'
import { serve } from 'sallyport/server'
import { expressSession as readExpressSession } from 'sallyport/session'
import { generate } from 'selfsigned'
import { WebSocket as UndiciSocket } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { chatSchema, createWorld, freePort, nextMessage, refusalOf } from '../support/world.ts'
import { createHost } from './ws-host.ts'

/** A class of sockets that are the browser's by interface. */
type BrowserLike = new (
  url: string,
  options: { protocols: string[]; headers: Record<string, string> },
) => globalThis.WebSocket

for (const [name, Socket] of [
  ['undici', UndiciSocket],
  ['Node’s own', globalThis.WebSocket],
] as unknown as [string, BrowserLike][]) {
  test(`${name} WebSocket talks to serve(), and is refused without a ticket`, async t => {
    const world = await createWorld()
    t.after(() => world.close())
    const dial = (protocols: string[]): globalThis.WebSocket =>
      new Socket(`ws://localhost:${world.port}/ws`, {
        protocols,
        headers: { origin: world.origin, cookie: 'sid=ann-1' },
      })
    const socket = dial(['sallyport.v1', `sallyport.ticket.${await world.ticket('ann-1')}`])
    await once(socket, 'open')
    assert.equal(socket.protocol, 'sallyport.v1')
    const answer = once(socket, 'message')
    socket.send('{"type":"chat","message":"hi"}')
    assert.equal((await answer)[0].data, '{"type":"chat","message":"echo hi"}')
    const closed = once(socket, 'close')
    socket.close(1000, 'bye')
    assert.equal((await closed)[0].code, 1000)
    const refused = dial(['sallyport.v1'])
    let opened = false
    refused.addEventListener('open', () => (opened = true))
    await once(refused, 'error')
    assert.equal(opened, false)
  })
}

test('TLS: serve() with a certificate speaks wss alone', async t => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
  const port = await freePort()
  const origin = `https://localhost:${port}`
  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session: () => ({ id: 'ann-1', user: 'ann' }) },
    message: { schema: { chat: chatSchema } },
  })
  const app = await serve({
    guard,
    port,
    host: 'localhost',
    tls: { key, cert },
    handlers: { chat: (said, connection) => void connection.send({ type: 'chat', message: said.message }) },
  })
  t.after(() => app.close({ withinMs: 0 }))
  assert.equal(app.url, `wss://localhost:${port}`)
  const ticket = await new Promise<string>((resolve, reject) => {
    const asked = httpsRequest(
      {
        port,
        host: 'localhost',
        ca: cert,
        method: 'POST',
        path: '/.sallyport/ticket?path=/ws',
        headers: { origin, connection: 'close' },
      },
      answer => answer.setEncoding('utf8').on('data', (text: string) => resolve(JSON.parse(text).ticket)),
    )
    asked.on('error', reject).end()
  })
  const protocols = ['sallyport.v1', `sallyport.ticket.${ticket}`]
  const socket = new WebSocket(`wss://localhost:${port}/ws`, protocols, { origin, ca: cert })
  await once(socket, 'open')
  socket.send('{"type":"chat","message":"hi"}')
  assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'hi' })
  const plain = new WebSocket(`ws://localhost:${port}/ws`, protocols, { origin })
  await once(plain, 'error')
  const foreign = new WebSocket(`wss://localhost:${port}/ws`, [], { origin: `http://localhost:${port}`, ca: cert })
  foreign.on('error', () => {})
  assert.equal((await refusalOf(foreign)).body, '{"code":"SALLY_ORIGIN_NOT_ALLOWED"}')
})

test('graphql-ws: its server over the guarded WebSocketServer serves its own client; messages it does not know are refused', async t => {
  const payload = z.record(z.string(), z.unknown()).optional()
  const id = z.string().max(64)
  const sid = (request: { cookie(name: string): string | undefined }): Session | null =>
    request.cookie('sid') === 'ann-1' ? { id: 'ann-1', user: 'ann' } : null
  const host = await createHost({
    handshake: {
      session: sid,
      ticket: { carrier: 'query' },
      subprotocol: { serve: ['graphql-transport-ws'], required: true },
    },
    message: {
      schema: {
        connection_init: z.object({ type: z.literal('connection_init'), payload }),
        ping: z.object({ type: z.literal('ping'), payload }),
        pong: z.object({ type: z.literal('pong'), payload }),
        subscribe: z.object({
          type: z.literal('subscribe'),
          id,
          payload: z.object({
            query: z.string().max(2000),
            variables: payload,
            operationName: z.string().nullish(),
          }),
        }),
        complete: z.object({ type: z.literal('complete'), id }),
      },
    },
  })
  const { port, origin, server, guard } = host
  server.removeAllListeners('request').on('request', (request, response) => void guard.ticket(request, response))
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { hello: { type: GraphQLString, resolve: () => 'world' } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: {
        greetings: {
          type: GraphQLString,
          async *subscribe() {
            for (const greetings of ['hi', 'hola']) yield { greetings }
          },
        },
      },
    }),
  })
  const sockets = new WebSocketServer({ server, ...guard.ws() })
  useServer({ schema } as Parameters<typeof useServer>[0], sockets)

  const headers = { origin, cookie: 'sid=ann-1', connection: 'close' }
  const ticket = async (): Promise<string> => {
    const response = await fetch(`${origin}/ticket?path=/graphql`, { method: 'POST', headers })
    return ((await response.json()) as { ticket: string }).ticket
  }
  class Client extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { origin, cookie: 'sid=ann-1' } })
    }
  }
  const client = createClient({
    webSocketImpl: Client,
    url: async () => `ws://localhost:${port}/graphql?ticket=${await ticket()}`,
    retryAttempts: 0,
  })
  t.after(async () => {
    await client.dispose()
    await host.close()
  })
  const results: unknown[] = []
  for await (const { data } of client.iterate({ query: 'query { hello }' })) results.push(data)
  for await (const { data } of client.iterate({ query: 'subscription { greetings }' })) results.push(data)
  assert.deepEqual(JSON.parse(JSON.stringify(results)), [
    { hello: 'world' },
    { greetings: 'hi' },
    { greetings: 'hola' },
  ])

  const raw = new Client(`ws://localhost:${port}/graphql?ticket=${await ticket()}`, ['graphql-transport-ws'])
  await once(raw, 'open')
  assert.equal(raw.protocol, 'graphql-transport-ws')
  raw.send('{"type":"introspect_everything"}')
  assert.deepEqual(await nextMessage(raw), { type: 'error', code: 'SALLY_MESSAGE_TYPE' })
  raw.terminate()
  const stolen = new WebSocket(`ws://localhost:${port}/graphql`, ['graphql-transport-ws'], {
    headers: { ...headers, origin: 'https://evil.example' },
  })
  stolen.on('error', () => {})
  assert.equal((await refusalOf(stolen)).status, 403)
})

test('express and express-session beside the socket on one server: signed in over HTTP, logged out everywhere', async t => {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const sessions = expressSession({ secret: 'x'.repeat(32), resave: false, saveUninitialized: false })
  const guard = createGuard({
    handshake: {
      origin: { allow: [origin] },
      session: readExpressSession(sessions, request => (request.session as { user?: string } | undefined)?.user),
    },
    message: { schema: { chat: chatSchema } },
  })
  const app = express()
  app.use(sessions)
  app.post('/login', (request, response) => {
    Reflect.set(request.session, 'user', 'ann')
    response.send('in')
  })
  app.post('/ticket', guard.ticket as never)
  app.post('/logout', (request, response) => {
    const { id } = request.session
    request.session.destroy(() => void guard.revoke({ session: id }).then(() => response.send('out')))
  })
  const server = createServer(app).listen(port, 'localhost')
  await once(server, 'listening')
  t.after(async () => {
    await guard.drain({ withinMs: 0 })
    server.closeAllConnections()
    server.close()
  })
  new WebSocketServer({ server, ...guard.ws() }).on('connection', socket => {
    assert.equal(guard.connection(socket).session.user, 'ann')
    guard.handle(socket, { chat: (said, connection) => void connection.send(said) })
  })

  let cookie = ''
  const post = (path: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const headers = { origin, connection: 'close', ...(cookie !== '' && { cookie }) }
      const asked = httpRequest({ port, host: 'localhost', method: 'POST', path, headers }, answer => {
        let body = ''
        cookie = answer.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? cookie
        answer
          .on('data', chunk => (body += String(chunk)))
          .on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
      })
      asked.on('error', reject).end()
    })
  const dial = (protocols: string[]): WebSocket => {
    const socket = new WebSocket(`ws://localhost:${port}/`, protocols, { origin, headers: { cookie } })
    socket.on('error', () => {})
    return socket
  }
  assert.equal((await post('/ticket')).status, 401)
  assert.equal((await refusalOf(dial(['sallyport.v1']))).status, 401)
  await post('/login')
  const { ticket } = JSON.parse((await post('/ticket')).body) as { ticket: string }
  const socket = dial(['sallyport.v1', `sallyport.ticket.${ticket}`])
  await once(socket, 'open')
  socket.send('{"type":"chat","message":"hi","admin":true}')
  assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'hi' })
  const closed = once(socket, 'close')
  await post('/logout')
  assert.equal((await closed)[0], 4401)
  assert.equal((await refusalOf(dial(['sallyport.v1']))).status, 401)
})

test('the undici of the test is the package, not the one inside Node', () => {
  assert.notEqual(UndiciSocket as unknown, globalThis.WebSocket)
})
