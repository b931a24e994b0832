import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema } from 'graphql'
import { type Client, createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import type { Connection } from 'sallyport'
import { WebSocket, WebSocketServer } from 'ws'
import { attach, type Host, started } from './ws-host.ts'

const SUBSCRIPTIONS = 300

/** A source of values that lasts until its subscriber returns it. */
class Topic implements AsyncIterableIterator<{ readonly tick: number }> {
  readonly #values: number[] = []
  #wake: (() => void) | null = null
  #isOver = false

  constructor(first: number) {
    this.#values.push(first)
  }

  push(value: number): void {
    this.#values.push(value)
    this.#wake?.()
  }

  async next(): Promise<IteratorResult<{ readonly tick: number }>> {
    while (this.#values.length === 0 && !this.#isOver) await new Promise<void>(resolve => (this.#wake = resolve))
    const tick = this.#values.shift()
    return this.#isOver || tick === undefined ? { done: true, value: undefined } : { done: false, value: { tick } }
  }

  return(): Promise<IteratorResult<{ readonly tick: number }>> {
    this.#isOver = true
    this.#wake?.()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  get isOver(): boolean {
    return this.#isOver
  }
}

interface Served {
  readonly host: Host
  readonly topics: Map<number, Topic>
  readonly client: Client
  readonly connection: () => Connection
  readonly socket: () => WebSocket
}

/** As docs/guide/ws.md sets it up. */
async function served(t: TestContext, way: 'server' | 'upgrade', lifetime: object = {}): Promise<Served> {
  const host = await started(t, {
    handshake: { subprotocol: { serve: ['graphql-transport-ws'] } },
    message: { schema: { dangerouslyAcceptAnyMessage: true }, rate: { messages: 2_000, per: '1 minute' } },
    lifetime,
  })
  const topics = new Map<number, Topic>()
  const id = { id: { type: new GraphQLNonNull(GraphQLInt) } }
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { one: { type: GraphQLInt, resolve: () => 1 } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: {
        tick: {
          type: GraphQLInt,
          args: id,
          subscribe(_root, { id: number }: { id: number }) {
            const topic = new Topic(number)
            topics.set(number, topic)
            return topic
          },
        },
      },
    }),
  })
  let opened: WebSocket | undefined
  const wss =
    way === 'server'
      ? attach({ server: host.server, path: '/graphql', ...host.guard.ws() })
      : new WebSocketServer({ noServer: true, ...host.guard.ws() })
  useServer({ schema }, wss)
  if (way === 'upgrade') host.server.on('upgrade', host.guard.upgrade(wss, '/graphql'))
  wss.on('connection', socket => (opened = socket as WebSocket))
  class Honest extends WebSocket {
    constructor(url: string, protocols: string | string[]) {
      super(url, protocols, { origin: host.origin })
    }
  }
  const client = createClient({
    url: `ws://localhost:${host.port}/graphql`,
    webSocketImpl: Honest,
    retryAttempts: 0,
    lazy: true,
  })
  t.after(() => client.dispose())
  return { host, topics, client, connection: () => host.guard.connection(opened!), socket: () => opened! }
}

for (const way of ['server', 'upgrade'] as const) {
  test(`graphql-ws, ${SUBSCRIPTIONS} live subscriptions on a socket (${way}): all answered, complete and close read at once, heartbeat on time`, async t => {
    const { host, topics, client, connection, socket } = await served(t, way, {
      heartbeat: { interval: '1 second', timeout: '1 second' },
    })
    const results = new Map<number, unknown[]>()
    const ends: (() => void)[] = []
    const ended = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    let over = 0
    for (let id = 0; id < SUBSCRIPTIONS; id++) {
      results.set(id, [])
      const end = client.subscribe<{ tick: number }>(
        { query: `subscription { tick(id: ${id}) }` },
        {
          next({ data }) {
            results.get(id)!.push(data?.tick)
            if ([...results.values()].every(({ length }) => length === 1)) answered.resolve()
          },
          error: () => undefined,
          complete() {
            if (++over === SUBSCRIPTIONS) ended.resolve()
          },
        },
      )
      ends.push(end)
    }
    await answered.promise
    assert.equal(topics.size, SUBSCRIPTIONS)
    for (let id = 0; id < SUBSCRIPTIONS; id++) assert.deepEqual(results.get(id), [id])

    // Each is live: what is published comes.
    topics.get(299)!.push(7)
    while (results.get(299)!.length < 2) await new Promise(setImmediate)
    assert.deepEqual(results.get(299), [299, 7])

    // `complete` of one is read while 299 go on.
    ends[0]!()
    while (!topics.get(0)!.isOver) await new Promise(setImmediate)
    assert.equal([...topics.values()].filter(({ isOver }) => isOver).length, 1)

    // The guard pings on time, and sees the pongs: nobody is cut, in two intervals and more.
    for (let beats = 0; beats < 3; beats++) await once(socket(), 'pong')
    assert.equal(connection().readyState, 1)
    assert.deepEqual(
      host.events.filter(({ kind }) => kind === 'denial'),
      [],
    )

    const signal = once(connection().signal, 'abort')
    void client.dispose()
    await signal
    await host.event(({ kind }) => kind === 'close')
    await ended.promise
    while (![...topics.values()].every(({ isOver }) => isOver)) await new Promise(setImmediate)
  })
}

test('attack: a policy that counts listeners holds the socket at its bound, and reads what ends it all the same', async t => {
  const host = await started(t, {
    message: { format: { data: 'text' }, concurrency: { handlers: 2, countListeners: true } },
  })
  const wss = attach({ server: host.server, ...host.guard.ws() })
  const running = new Set<number>()
  let count = 0
  wss.on('connection', socket => {
    // oxlint-disable-next-line typescript/no-misused-promises -- as apps write it
    socket.on('message', async () => {
      const one = count++
      running.add(one)
      await new Promise<void>(resolve => {
        // As apps write it: an abort that came before would never be heard.
        host.guard.connection(socket).signal.addEventListener('abort', () => resolve())
      })
      running.delete(one)
    })
  })
  const client = await host.open()
  for (let message = 0; message < 5; message++) client.send('x')
  const pong = once(client, 'pong')
  client.ping()
  await pong
  assert.equal(running.size, 2)
  client.close()
  await host.event(({ kind }) => kind === 'close')
  while (running.size > 0) await new Promise(resolve => setTimeout(resolve, 10))
})
