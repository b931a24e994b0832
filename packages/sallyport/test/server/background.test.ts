import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Connection } from 'sallyport'
import { z } from 'zod'
import { closeOf, createWorld, nextMessage } from '../support/world.ts'

const SCHEMA = {
  subscribe: z.object({ type: z.literal('subscribe'), id: z.number() }),
  complete: z.object({ type: z.literal('complete'), id: z.number() }),
}

interface Streaming {
  readonly live: Map<number, () => void>
  readonly failures: unknown[]
  readonly handlers: object
  readonly error: (error: unknown) => void
}

/** Handlers as an app writes them: a subscription lasts until it is completed, or its connection ends. */
function streaming(): Streaming {
  const live = new Map<number, () => void>()
  const failures: unknown[] = []
  const stream = async (id: number, connection: Connection): Promise<void> => {
    connection.send({ type: 'data', id })
    await new Promise<void>(resolve => {
      live.set(id, resolve)
      connection.signal.addEventListener('abort', () => resolve())
    })
    live.delete(id)
    connection.send({ type: 'completed', id })
  }
  return {
    live,
    failures,
    error: error => void failures.push(error),
    handlers: {
      subscribe({ id }: { id: number }, connection: Connection) {
        if (!connection.background(() => stream(id, connection))) connection.send({ type: 'refused', id })
      },
      complete: ({ id }: { id: number }) => live.get(id)?.(),
    },
  }
}

test('300 streams on one connection: all answered, each is ended by its message, and the close frame ends the rest', async t => {
  const app = streaming()
  const world = await createWorld(
    { message: { schema: SCHEMA, rate: { dangerouslyOff: true } } },
    { handlers: app.handlers as never, error: app.error },
  )
  t.after(() => world.close())
  const client = await world.connect()
  const heard: string[] = []
  const all = Promise.withResolvers<void>()
  client.on('message', data => {
    heard.push(String(data as Buffer))
    if (heard.length === 300) all.resolve()
  })
  for (let id = 0; id < 300; id++) client.send(JSON.stringify({ type: 'subscribe', id }))
  await all.promise
  assert.equal(app.live.size, 300)
  const next = nextMessage(client)
  client.send(JSON.stringify({ type: 'complete', id: 150 }))
  assert.deepEqual(await next, { type: 'completed', id: 150 })
  const pong = once(client, 'pong')
  client.ping()
  await pong
  client.close()
  await once(client, 'close')
  await world.event(({ kind }) => kind === 'close')
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  assert.equal(app.live.size, 0)
  assert.deepEqual(app.failures, [])
})

for (const [what, background] of [
  ['one', 1],
  ['three', 3],
] as const) {
  test(`${what} at once may run: one more is not run, is reported, and possible again once one ends`, async t => {
    const app = streaming()
    const world = await createWorld(
      { message: { schema: SCHEMA, concurrency: { background } } },
      { handlers: app.handlers as never },
    )
    t.after(() => world.close())
    const client = await world.connect()
    for (let id = 0; id < background; id++) {
      const data = nextMessage(client)
      client.send(JSON.stringify({ type: 'subscribe', id }))
      assert.deepEqual(await data, { type: 'data', id })
    }
    const refused = nextMessage(client)
    client.send('{"type":"subscribe","id":99}')
    assert.deepEqual(await refused, { type: 'refused', id: 99 })
    assert.equal((await world.event(({ kind }) => kind === 'denial')).code, 'SALLY_MESSAGE_CONCURRENCY')
    const completed = nextMessage(client)
    client.send('{"type":"complete","id":0}')
    assert.deepEqual(await completed, { type: 'completed', id: 0 })
    const data = nextMessage(client)
    client.send('{"type":"subscribe","id":100}')
    assert.deepEqual(await data, { type: 'data', id: 100 })
    client.terminate()
  })
}

test('in report mode one more runs, and the denial is reported', async t => {
  const app = streaming()
  const world = await createWorld(
    { message: { schema: SCHEMA, concurrency: { background: 1 } }, report: ['message/concurrency'] },
    { handlers: app.handlers as never },
  )
  t.after(() => world.close())
  const client = await world.connect()
  for (const id of [1, 2]) {
    const data = nextMessage(client)
    client.send(JSON.stringify({ type: 'subscribe', id }))
    assert.deepEqual(await data, { type: 'data', id })
  }
  assert.equal((await world.event(({ kind }) => kind === 'denial')).enforced, false)
  client.terminate()
})

for (const [what, task] of [
  ['rejects', () => Promise.reject(new Error('S3cret'))],
  [
    'throws',
    () => {
      throw new Error('S3cret')
    },
  ],
] as const) {
  test(`a task that ${what} is reported as a handler that failed, and its peer learns a code alone`, async t => {
    const failures: unknown[] = []
    const world = await createWorld(
      { message: { schema: SCHEMA } },
      {
        handlers: {
          subscribe: (_message: unknown, connection: Connection) => void connection.background(task),
          complete: () => undefined,
        } as never,
        error: error => void failures.push(error),
      },
    )
    t.after(() => world.close())
    const client = await world.connect()
    const answer = nextMessage(client)
    client.send('{"type":"subscribe","id":1}')
    assert.deepEqual(await answer, { type: 'error', code: 'SALLY_HANDLER_FAILED' })
    assert.match(String(failures[0]), /S3cret/)
    assert.doesNotMatch(JSON.stringify(world.events), /S3cret/)
    client.terminate()
  })
}

test('what is no function is a mistake that says what to write; on a closed connection nothing runs', async t => {
  let closed: boolean | undefined
  const world = await createWorld(
    { message: { schema: SCHEMA } },
    {
      handlers: {
        subscribe: (_message: unknown, connection: Connection) =>
          connection.background(Promise.resolve() as unknown as () => void),
        complete(_message: unknown, connection: Connection) {
          connection.close(4000)
          closed = connection.background(() => assert.fail('it ran'))
        },
      } as never,
      error(error) {
        assert.match(String(error), /^TypeError: background takes a function, not .*: write background\(\(\) =>/)
      },
    },
  )
  t.after(() => world.close())
  const client = await world.connect()
  const answer = nextMessage(client)
  client.send('{"type":"subscribe","id":1}')
  assert.equal((await answer).code, 'SALLY_HANDLER_FAILED')
  client.send('{"type":"complete","id":1}')
  assert.equal((await closeOf(client)).code, 4000)
  assert.equal(closed, false)
})
