import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Server } from 'socket.io'
import { WebSocket, WebSocketServer } from 'ws'
import { guardSocketIo } from '../../src/adapters/socket-io/guard.ts'
import { createGuard } from '../../src/index.ts'
import { serve } from '../../src/server/serve.ts'
import { freePort } from '../support/world.ts'

const PING = '{"type":"sallyport.ping"}'
const PONG = '{"type":"sallyport.pong"}'
const CHAT = '{"type":"chat","text":"x"}'

const policyFor = (port: number, message: object = {}) =>
  ({
    handshake: {
      origin: { allow: [`http://localhost:${port}`] },
      session: { dangerouslyAnonymous: true },
      subprotocol: { serve: ['chat.v1', 'sallyport.v1', 'graphql-transport-ws'] },
    },
    message: {
      schema: { chat: { type: 'object', properties: { text: { type: 'string' } } } },
      heartbeat: [{ text: 'ping', reply: 'pong' }],
      ...message,
    },
  }) as Parameters<typeof createGuard>[0]

interface Host {
  readonly port: number
  /** What the app got, as text. */
  readonly heard: string[]
}

/** Starts an app that says `ready` to each connection and notes each message that it gets. */
type Start = (t: TestContext) => Promise<Host>

const onWs =
  (
    attach: (guard: ReturnType<typeof createGuard>, server: ReturnType<typeof createServer>) => WebSocketServer,
  ): Start =>
  async t => {
    const port = await freePort()
    const guard = createGuard(policyFor(port))
    const server = createServer()
    const heard: string[] = []
    attach(guard, server).on('connection', socket => {
      socket.on('message', (data: Buffer) => heard.push(data.toString()))
    })
    server.listen(port, 'localhost')
    await once(server, 'listening')
    t.after(async () => {
      await guard.drain({ withinMs: 0 })
      server.closeAllConnections()
      server.close()
    })
    return { port, heard }
  }

const STARTS: Readonly<Record<string, Start>> = {
  'serve()': async t => {
    const port = await freePort()
    const heard: string[] = []
    const guard = createGuard(policyFor(port))
    const app = await serve({
      port,
      guard,
      handlers: { chat: (message: unknown) => void heard.push(JSON.stringify(message)) } as never,
    })
    t.after(() => app.close({ withinMs: 0 }))
    return { port, heard }
  },
  'guard.ws()': onWs((guard, server) => new WebSocketServer({ server, ...guard.ws() })),
  'guard.upgrade()': onWs((guard, server) => {
    const sockets = new WebSocketServer({ noServer: true, ...guard.ws() })
    server.on('upgrade', guard.upgrade(sockets, '/ws'))
    return sockets
  }),
}

async function open({ port }: Host, protocols: string[]): Promise<{ socket: WebSocket; next: () => Promise<string> }> {
  const socket = new WebSocket(`ws://localhost:${port}/ws`, protocols, { origin: `http://localhost:${port}` })
  const waiting: string[] = []
  socket.on('message', (data: Buffer) => waiting.push(data.toString()))
  await once(socket, 'open')
  return {
    socket,
    async next() {
      if (waiting.length === 0) await once(socket, 'message')
      return waiting.shift()!
    },
  }
}

for (const [name, start] of Object.entries(STARTS))
  describe(`a heartbeat behind ${name}`, () => {
    test('of sallyport.v1 is answered where that was negotiated, and the app gets the other messages alone', async t => {
      const host = await start(t)
      const { socket, next } = await open(host, ['sallyport.v1'])
      for (const text of [CHAT, PING]) socket.send(text)
      assert.equal(await next(), PONG)
      socket.send('ping')
      assert.equal(await next(), 'pong')
      assert.deepEqual(host.heard, [CHAT])
      socket.terminate()
    })

    for (const protocols of [[], ['chat.v1'], ['chat.v1', 'sallyport.v1']])
      test(`of sallyport.v1 is refused where [${protocols.join()}] was offered`, async t => {
        const host = await start(t)
        const { socket, next } = await open(host, protocols)
        socket.send(PING)
        assert.equal(await next(), '{"type":"error","code":"SALLY_MESSAGE_TYPE"}')
        socket.send('ping')
        assert.equal(await next(), 'pong')
        assert.deepEqual(host.heard, [])
        socket.terminate()
      })
  })

test("what a library's own chooser negotiates decides, not what the policy would have chosen", async t => {
  const start = onWs((guard, server) => {
    const sockets = new WebSocketServer({ server, ...guard.ws() })
    // As graphql-ws does.
    sockets.options.handleProtocols = offered => (offered.has('graphql-transport-ws') ? 'graphql-transport-ws' : false)
    return sockets
  })
  const host = await start(t)
  const { socket, next } = await open(host, ['sallyport.v1', 'graphql-transport-ws'])
  assert.equal(socket.protocol, 'graphql-transport-ws')
  socket.send(PING)
  assert.equal(await next(), '{"type":"error","code":"SALLY_MESSAGE_TYPE"}')
  socket.terminate()
})

test('Socket.IO has a heartbeat of its own: message.heartbeat is refused at start', async t => {
  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  const io = new Server(http, { maxHttpBufferSize: 65_536 })
  t.after(() => io.close())
  const { port } = http.address() as AddressInfo
  assert.throws(() => guardSocketIo(io, createGuard(policyFor(port))), /leave message\.heartbeat out/)
  guardSocketIo(io, createGuard(policyFor(port, { heartbeat: undefined })))
})
