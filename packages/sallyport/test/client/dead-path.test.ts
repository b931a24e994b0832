import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { connect, type Connection, type ConnectOptions, type Lifecycle } from '../../src/client/index.ts'
import { createGuard } from '../../src/index.ts'
import { serve } from '../../src/server/serve.ts'
import { type BlackPath, openPath } from '../../../../test/support/black-path.ts'
import { freePort } from '../support/world.ts'

/** The times of a page, scaled down. */
const HEARTBEAT = { after: 60, within: 60, awake: 30 }
const CHAT = { type: 'chat', text: 'x' } as const

type Guard = ReturnType<typeof createGuard>
type Start = (t: TestContext, port: number, guard: Guard, hear: (message: unknown) => void) => Promise<void>

const STARTS: Readonly<Record<string, Start>> = {
  'serve()': async (t, port, guard, hear) => {
    const app = await serve({
      port,
      guard,
      handlers: { chat: hear } as never,
    })
    t.after(() => app.close({ withinMs: 0 }))
  },
  'guard.ws()': async (t, port, guard, hear) => {
    const server = createServer()
    new WebSocketServer({ server, ...guard.ws() }).on('connection', socket => {
      socket.on('message', (data: Buffer) => hear(JSON.parse(data.toString())))
    })
    server.listen(port, 'localhost')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
  },
}

interface World {
  readonly path: BlackPath
  /** What the app got, once it is so much. */
  readonly heard: (count: number) => Promise<readonly unknown[]>
  readonly connection: Connection<typeof CHAT, never>
  readonly closes: Lifecycle['close'][]
}

async function worldOf(
  t: TestContext,
  start: Start,
  options: ConnectOptions = {},
  message: object = {},
): Promise<World> {
  const port = await freePort()
  const path = await openPath(port)
  t.after(() => path.close())
  const origin = `http://localhost:${path.port}`
  const guard = createGuard({
    handshake: {
      origin: { allow: [origin] },
      session: { dangerouslyAnonymous: true },
      rate: { dangerouslyOff: true },
    },
    message: { schema: { chat: { type: 'object', properties: { text: { type: 'string' } } } }, ...message },
  } as Parameters<typeof createGuard>[0])
  const got: unknown[] = []
  const app = new EventEmitter()
  await start(t, port, guard, message => {
    got.push(message)
    app.emit('message')
  })
  class Page extends WebSocket {
    constructor(url: string, protocols: string[] = []) {
      super(url, protocols, { headers: { origin } })
    }
  }
  const connection = connect<typeof CHAT, never>(`ws://localhost:${path.port}/ws`, {
    WebSocket: Page,
    ticket: false,
    heartbeat: HEARTBEAT,
    backoff: { min: 1, max: 20 },
    ...options,
  })
  const closes: Lifecycle['close'][] = []
  connection.when('close', what => closes.push(what))
  t.after(async () => {
    connection.close()
    await guard.drain({ withinMs: 0 })
  })
  await until(connection, 'open')
  const heard: World['heard'] = async count => {
    while (got.length < count) await once(app, 'message')
    return got
  }
  return { path, heard, connection, closes }
}

async function until(connection: Connection<typeof CHAT, never>, state: string): Promise<void> {
  while (connection.state !== state) {
    await new Promise<void>(resolve => {
      const off = connection.when('state', () => {
        off()
        resolve()
      })
    })
  }
}

for (const [name, start] of Object.entries(STARTS))
  describe(`a path that goes black, to ${name}`, () => {
    test('is noticed while it is silent, and the client is back once it is clear', async t => {
      const { path, heard, connection, closes } = await worldOf(t, start)
      path.black = true
      await until(connection, 'waiting')
      assert.equal(connection.send(CHAT), false)
      assert.deepEqual(closes, [{ code: 1006, reason: 'SALLY_HEARTBEAT_LOST' }])
      path.clear()
      await until(connection, 'open')
      assert.equal(connection.send(CHAT), true)
      assert.deepEqual(await heard(1), [CHAT])
    })

    test('is noticed by open(), long before it would be by silence', async t => {
      const heartbeat = { after: 3_600_000, within: 3_600_000, awake: 30 }
      const { path, connection, closes } = await worldOf(t, start, { heartbeat })
      path.black = true
      connection.open()
      await until(connection, 'connecting')
      assert.deepEqual(closes, [{ code: 1006, reason: 'SALLY_HEARTBEAT_LOST' }])
    })

    test('a silent path that is clear is asked again and again, and stays', async t => {
      const { path, heard, connection, closes } = await worldOf(t, start, {
        heartbeat: { ...HEARTBEAT, within: 60_000 },
      })
      // The handshake, and eight heartbeats.
      await path.passed(9)
      assert.equal(connection.state, 'open')
      assert.deepEqual(closes, [])
      connection.send(CHAT)
      assert.deepEqual(await heard(1), [CHAT], 'the app gets none of them')
    })

    test('is noticed by the text that the policy declares, where no sallyport.v1 was negotiated', async t => {
      const pair = { text: '#', reply: '.' }
      const options = { protocols: [], heartbeat: { ...HEARTBEAT, within: 60_000, ...pair } }
      const { path, connection, closes } = await worldOf(t, start, options, { heartbeat: [pair] })
      await path.passed(4)
      assert.deepEqual(closes, [])
      path.black = true
      connection.open()
      // Its question may be under way: the answer is 60 s off, unless it is shortened.
      await until(connection, 'connecting')
      assert.equal(connection.ignored, 0)
    })
  })
