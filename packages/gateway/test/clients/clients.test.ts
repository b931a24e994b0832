import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { buildSchema } from 'graphql'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { Server as SocketServer } from 'socket.io'
import { io } from 'socket.io-client'
import { WebSocket as UndiciSocket } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, ORIGIN, route } from '../support/gateway-world.ts'
import { closing } from '../support/leftovers.ts'

const chat = (message: string): string => JSON.stringify({ type: 'chat', message })
const PYTHON = '/usr/bin/python3'

/** Runs a Python script on Debian's websockets; its arguments come behind. */
function python(script: string, ...args: readonly string[]): ReturnType<typeof spawn> {
  const child = spawn('timeout', ['20', PYTHON, '-c', script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  closing(async () => {
    if (child.exitCode === null) child.kill()
    await Promise.resolve()
  })
  return child
}

const PYTHON_CLIENT = `
import asyncio, json, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], origin='${ORIGIN}', extra_headers={'Cookie': 'sid=s1'}) as ws:
        for text in ['one', 'zwei é', '三' * 20000]:
            await ws.send(json.dumps({'type': 'chat', 'message': text}, ensure_ascii=False))
            assert json.loads(await ws.recv())['message'] == text
        await ws.ping()
        await ws.close(4000, 'done')
        print(ws.close_code, flush=True)
asyncio.run(main())
`
const PYTHON_BACKEND = `
import asyncio, websockets
async def echo(ws):
    async for message in ws:
        await ws.send(message)
async def main():
    async with websockets.serve(echo, '127.0.0.1', 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.sleep(20)
asyncio.run(main())
`

describe('the clients of others, through the gateway', () => {
  test('ws, with its compression offered', async () => {
    const backend = await createBackend({ perMessageDeflate: true })
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect({ perMessageDeflate: true })
    client.send(chat('a'.repeat(5000)))
    assert.equal(String((await once(client, 'message'))[0]), chat('a'.repeat(5000)))
    await world.close()
    await backend.close()
  })

  test('ws, with compression agreed to', async () => {
    const backend = await createBackend()
    const world = await createWorld(
      configOf([backend.target], [route({ handshake: { extensions: { deflate: true } } })]),
    )
    const client = await world.connect({ perMessageDeflate: true })
    assert.match(client.extensions, /permessage-deflate/)
    for (const text of [chat('a'.repeat(5000)), chat('b')]) {
      client.send(text)
      assert.equal(String((await once(client, 'message'))[0]), text)
    }
    await world.close()
    await backend.close()
  })

  test('undici', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = new UndiciSocket(`ws://127.0.0.1:${world.port}/ws`, {
      headers: { Origin: ORIGIN, Cookie: 'sid=s1' },
    })
    await once(client, 'open')
    client.send(chat('é'))
    const [event] = (await once(client, 'message')) as [{ data: string }]
    assert.equal(event.data, chat('é'))
    client.close(1000)
    assert.equal(((await once(client, 'close')) as [{ code: number }])[0].code, 1000)
    await world.close()
    await backend.close()
  })

  test('python3-websockets', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const child = python(PYTHON_CLIENT, `ws://127.0.0.1:${world.port}/ws`)
    let out = ''
    child.stdout!.on('data', chunk => (out += String(chunk)))
    await once(child, 'close')
    assert.equal(out.trim(), '4000')
    assert.deepEqual(backend.ended, [4000])
    await world.close()
    await backend.close()
  })

  test('python3-websockets as the backend', async () => {
    const child = python(PYTHON_BACKEND)
    const port = Number(String((await once(child.stdout!, 'data'))[0]))
    const world = await createWorld(configOf([`ws://127.0.0.1:${port}`]))
    const client = await world.connect()
    for (const text of [chat('one'), chat('三'.repeat(10_000))]) {
      client.send(text)
      assert.equal(String((await once(client, 'message'))[0]), text)
    }
    const closed = once(client, 'close')
    client.close(1000)
    assert.equal((await closed)[0], 1000)
    child.kill()
    await world.close()
  })

  test('graphql-ws, its own protocol end to end, each of its messages by schema', async () => {
    const schema = buildSchema('type Query { hello: String } type Subscription { count: Int }')
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    const roots = {
      query: { hello: () => 'world' },
      subscription: {
        count: async function* count() {
          for (const value of [1, 2, 3]) yield { count: value }
        },
      },
    }
    useServer({ schema, roots }, sockets)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing(async () => {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      await Promise.resolve()
    })
    const text = { type: 'string' }
    const of = (type: string, properties: object = {}): object => ({
      type: 'object',
      properties: { type: { const: type }, ...properties },
      required: ['type'],
    })
    const message = {
      schema: {
        connection_init: of('connection_init'),
        ping: of('ping'),
        pong: of('pong'),
        complete: of('complete', { id: text }),
        subscribe: of('subscribe', {
          id: text,
          payload: { type: 'object', properties: { query: text }, required: ['query'] },
        }),
      },
    }
    const handshake = { subprotocol: { serve: ['graphql-transport-ws'] } }
    const target = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    const world = await createWorld(configOf([target], [route({ handshake, message })]))
    class Honest extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols, { origin: ORIGIN, headers: { Cookie: 'sid=s1' } })
      }
    }
    const client = createClient({ url: `ws://127.0.0.1:${world.port}/ws`, webSocketImpl: Honest, retryAttempts: 0 })
    const results: unknown[] = []
    for await (const result of client.iterate({ query: '{ hello }' })) results.push(result.data)
    for await (const result of client.iterate({ query: 'subscription { count }' })) results.push(result.data)
    assert.deepEqual(JSON.parse(JSON.stringify(results)), [
      { hello: 'world' },
      { count: 1 },
      { count: 2 },
      { count: 3 },
    ])
    await client.dispose()
    await world.close()
  })

  test('Socket.IO over its WebSocket transport, text as it is checked', async () => {
    const server = createServer()
    const sockets = new SocketServer(server, { transports: ['websocket'] })
    sockets.on('connection', socket => {
      socket.on('chat', (text: string, reply: (answer: string) => void) => reply(`heard ${text}`))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing(async () => {
      await sockets.close()
    })
    const message = { format: { data: 'text' }, schema: { dangerouslyAcceptAnyMessage: true } }
    const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const world = await createWorld(configOf([target], [route({ path: '/socket.io/', message })]))
    const client = io(`http://127.0.0.1:${world.port}`, {
      transports: ['websocket'],
      extraHeaders: { Origin: ORIGIN, Cookie: 'sid=s1' },
      reconnection: false,
    })
    assert.equal(await client.emitWithAck('chat', 'é'), 'heard é')
    const refused = io(`http://127.0.0.1:${world.port}`, {
      transports: ['websocket'],
      extraHeaders: { Origin: 'http://evil.localhost', Cookie: 'sid=s1' },
      reconnection: false,
      forceNew: true,
    })
    await new Promise(resolve => refused.once('connect_error', resolve))
    client.disconnect()
    refused.disconnect()
    await world.close()
  })
})
