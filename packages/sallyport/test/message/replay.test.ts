import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { createGuard } from 'sallyport'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import type { ReplaySection } from '../../src/controls/message/replay.ts'
import { createMessageDoor } from '../../src/controls/message/run.ts'
import { Subject } from '../../src/controls/message/subject.ts'
import type { Policy } from '../../src/policy/types.ts'
import { StoreError } from '../../src/model/store-error.ts'
import type { Store } from '../../src/model/store.ts'
import type { Denial } from '../../src/model/verdict.ts'
import { sentenceOf } from '../../src/policy/denials.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { reportPolicy } from '../../src/policy/report.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { redis } from '../../src/store/redis.ts'
import { host } from '../adapters/socket-io-host.ts'
import { policyWith as written } from '../policy/honest-policy.ts'
import { problemsOf } from '../policy/problems-of.ts'
import { startRedis } from '../store/redis-server.ts'
import { createWorld, nextMessage, nextTexts } from '../support/world.ts'
import { codeOf, connectionOf, partsWith, policyWith, textOf } from './door-fixtures.ts'

const WINDOW_MS = 30_000
const REPLAY: ReplaySection = { nonce: 'nonce', time: 'sentAt', windowMs: WINDOW_MS }
/** Declares neither field: both are stripped, and looked at all the same. */
const SCHEMA: Policy['message']['schema'] = {
  types: { pay: z.object({ type: z.literal('pay'), to: z.string().max(9) }) },
  discriminator: 'type',
  unknownFields: 'strip',
}

/** A message door on a store of this process, with a clock of its own. */
function door(message: Partial<Policy['message']> = {}, rest: Partial<Policy> = {}, given?: Partial<Store>) {
  const { parts, clock } = partsWith()
  const told: Denial[] = []
  const memory = createMemoryStore({ now: () => clock.now })
  const store = { ...parts.store, once: memory.once, ...given } as Store
  const policy = policyWith({ schema: SCHEMA, replay: REPLAY, ...message }, { name: 'shop', ...rest })
  const run = createMessageDoor(policy, { ...parts, store }, (_control, denial) => told.push(denial))
  const pay = (fields: object): string => JSON.stringify({ type: 'pay', to: 'bob', ...fields })
  return {
    clock,
    told,
    /** The answer to a text as it stands. */
    text: async (text: string, user = 'ada') => codeOf(await run(textOf(text), connectionOf(user))),
    /** The answer to a payment with these fields, sent now unless they say when. */
    pay: async (fields: object, user = 'ada') =>
      codeOf(await run(textOf(pay({ sentAt: clock.now, ...fields })), connectionOf(user))),
    run,
  }
}

type Sent = readonly [fields: object, user?: string]
const REPLAYED = 'SALLY_MESSAGE_REPLAYED'
const REPLAYABLE = 'SALLY_MESSAGE_REPLAYABLE'
const long = 'x'.repeat(128)

/** What is sent before, what is sent then, and the answer to that. */
const ROWS: readonly (readonly [name: string, before: Sent | null, then: Sent, answer: string])[] = [
  ['attack: the same message again', [{ nonce: 'a' }], [{ nonce: 'a' }], REPLAYED],
  ['attack: the same nonce with another amount', [{ nonce: 'a', to: 'bob' }], [{ nonce: 'a', to: 'eve' }], REPLAYED],
  ['attack: a longer spelling of the same number', [{ nonce: 1 }], [{ nonce: 1.0 }], REPLAYED],
  ['attack: minus zero for zero', [{ nonce: 0 }], [{ nonce: -0 }], REPLAYED],
  ['attack: no nonce', null, [{}], REPLAYABLE],
  ['attack: an empty nonce', null, [{ nonce: '' }], REPLAYABLE],
  ['attack: a nonce of 129 characters', null, [{ nonce: `${long}x` }], REPLAYABLE],
  ['attack: a nonce of 50 000 characters', null, [{ nonce: 'x'.repeat(50_000) }], REPLAYABLE],
  ['attack: a nonce that is null', null, [{ nonce: null }], REPLAYABLE],
  ['attack: a nonce that is an object', null, [{ nonce: { toString: 'a' } }], REPLAYABLE],
  ['attack: a nonce that is a list', null, [{ nonce: ['a'] }], REPLAYABLE],
  ['attack: a nonce with a fraction', null, [{ nonce: 1.5 }], REPLAYABLE],
  ['attack: a time as text', null, [{ nonce: 'a', sentAt: '1000000' }], REPLAYABLE],
  ['attack: a time that is null', null, [{ nonce: 'a', sentAt: null }], REPLAYABLE],
  ['attack: a time in the far future', null, [{ nonce: 'a', sentAt: 1e300 }], 'SALLY_MESSAGE_STALE'],
  ['attack: a time in seconds', null, [{ nonce: 'a', sentAt: 1000 }], 'SALLY_MESSAGE_STALE'],
  ['honest: another nonce', [{ nonce: 'a' }], [{ nonce: 'b' }], 'PASS'],
  ["honest: 1 and '1' are two nonces", [{ nonce: 1 }], [{ nonce: '1' }], 'PASS'],
  ['honest: a nonce in other letters', [{ nonce: 'a' }], [{ nonce: 'A' }], 'PASS'],
  ['honest: a nonce of 128 characters', null, [{ nonce: long }], 'PASS'],
  ['honest: a negative number', null, [{ nonce: -7 }], 'PASS'],
  ['honest: a stranger used the same nonce', [{ nonce: 'a' }, 'eve'], [{ nonce: 'a' }, 'ada'], 'PASS'],
  ['honest: a stranger whose name and nonce read alike', [{ nonce: '","a' }, 'x'], [{ nonce: 'a' }, 'x","'], 'PASS'],
  ['honest: a refused message used up no nonce', [{ nonce: 'a', to: 'too long a name' }], [{ nonce: 'a' }], 'PASS'],
  ['honest: a stale message used up no nonce', [{ nonce: 'a', sentAt: 1 }], [{ nonce: 'a' }], 'PASS'],
]
for (const [name, before, then, answer] of ROWS) {
  test(name, async () => {
    const { pay } = door()
    if (before !== null) await pay(...before)
    assert.equal(await pay(...then), answer)
  })
}

/** How far the clock of the client is off, in ms. */
const OFFSETS: readonly (readonly [name: string, offset: number, answer: string])[] = [
  ['20 s behind', -20_000, 'PASS'],
  ['20 s ahead', 20_000, 'PASS'],
  ['exactly a window behind', -WINDOW_MS, 'PASS'],
  ['exactly a window ahead', WINDOW_MS, 'PASS'],
  ['a ms more than a window behind', -WINDOW_MS - 1, 'SALLY_MESSAGE_STALE'],
  ['a ms more than a window ahead', WINDOW_MS + 1, 'SALLY_MESSAGE_STALE'],
  ['half a ms behind', -0.5, 'PASS'],
]
for (const [name, offset, answer] of OFFSETS) {
  test(`a clock that is ${name}: ${answer}`, async () => {
    const { pay, clock } = door()
    assert.equal(await pay({ nonce: 'a', sentAt: clock.now + offset }), answer)
  })

  if (answer === 'PASS')
    test(`attack: sent again at every second, by a clock that is ${name}`, async () => {
      const { pay, clock } = door()
      const sentAt = clock.now + offset
      assert.equal(await pay({ nonce: 'a', sentAt }), 'PASS')
      for (let second = 0; second < 200; second++) {
        assert.notEqual(await pay({ nonce: 'a', sentAt }), 'PASS', `after ${second} s`)
        clock.now += 1000
      }
    })
}

test('a nonce is kept one window longer than its message can pass: clocks of nodes differ', async () => {
  const kept: number[] = []
  const { pay, clock } = door({}, {}, { once: (_key, ttlMs) => kept.push(ttlMs) > 0 })
  for (const offset of [-WINDOW_MS, 0, WINDOW_MS]) await pay({ nonce: 'a', sentAt: clock.now + offset })
  assert.deepEqual(kept, [WINDOW_MS, 2 * WINDOW_MS, 3 * WINDOW_MS])
})

const TEXTS: readonly (readonly [name: string, text: string, answer: string])[] = [
  ['a nonce twice', '{"type":"pay","to":"bob","nonce":"a","nonce":"b","sentAt":1000000}', 'SALLY_MESSAGE_KEY'],
  [
    'a nonce twice, once escaped',
    '{"type":"pay","to":"b","nonce":"a","n\\u006fnce":"b","sentAt":1000000}',
    'SALLY_MESSAGE_KEY',
  ],
  [
    'both in the prototype',
    '{"type":"pay","to":"bob","__proto__":{"nonce":"a","sentAt":1000000}}',
    'SALLY_MESSAGE_KEY',
  ],
  ['a time that rounds', '{"type":"pay","to":"bob","nonce":"a","sentAt":1e999}', 'SALLY_MESSAGE_NUMBER'],
  ['a nonce deeper inside', '{"type":"pay","to":"bob","in":{"nonce":"a"},"sentAt":1000000}', REPLAYABLE],
  ['a list', '[{"nonce":"a","sentAt":1000000}]', 'SALLY_MESSAGE_NOT_JSON'],
]
for (const [name, text, answer] of TEXTS) {
  test(`attack: ${name}`, async () => assert.equal(await door().text(text), answer))
}

test('attack: fields named like members of every object are looked for as own keys', async () => {
  const { pay } = door({ replay: { ...REPLAY, nonce: 'toString', time: 'valueOf' } })
  assert.equal(await pay({}), REPLAYABLE)
})

test('what message.authorize refuses uses up no nonce, and 100 at once pass once', async () => {
  const may = { pay: false }
  const { pay } = door({ authorize: async () => may.pay })
  assert.equal(await pay({ nonce: 'a' }), 'SALLY_MESSAGE_FORBIDDEN')
  may.pay = true
  const answers = await Promise.all(Array.from({ length: 100 }, () => pay({ nonce: 'a' })))
  assert.deepEqual([answers.filter(code => code === 'PASS').length, answers[99]], [1, REPLAYED])
})

test('honest: 100 distinct ones at once', async () => {
  const { pay } = door()
  const answers = await Promise.all(Array.from({ length: 100 }, (_, nonce) => pay({ nonce })))
  assert.deepEqual(new Set(answers), new Set(['PASS']))
})

test('the fast path reads messages off their bytes, and a replay is seen all the same', async () => {
  const properties = {
    type: { const: 'pay' },
    to: { type: 'string' },
    nonce: { type: 'string' },
    sentAt: { type: 'number' },
  }
  const types = { pay: { type: 'object', properties, required: ['type', 'to'] } }
  for (const takesBytes of [false, true]) {
    const { run, clock } = door({ schema: { ...SCHEMA!, types } })
    const send = async (nonce: string): Promise<readonly [code: string, read: boolean]> => {
      const text = Buffer.from(JSON.stringify({ type: 'pay', to: 'bob', nonce, sentAt: clock.now }))
      const subject = Subject.lent(text, 0, text.length, true)
      const code = codeOf(await run(subject, { ...connectionOf(), judgedAt: clock.now, takesBytes }))
      return [code, subject.read]
    }
    const answers: unknown[] = []
    for (const nonce of ['a', 'b', 'c', 'd', 'c', 'e']) answers.push(await send(nonce))
    const [last, again] = [answers.at(-1), answers.at(-2)] as (readonly [string, boolean])[]
    assert.deepEqual(
      [again, last],
      [
        [REPLAYED, true],
        ['PASS', true],
      ],
    )
  }
})

test('a store that does not answer, or is full, denies', async () => {
  for (const once of [
    () => Promise.reject(new StoreError('SALLY_STORE_UNAVAILABLE', 'away')),
    () => {
      throw new StoreError('SALLY_STORE_FULL', 'full')
    },
  ]) {
    assert.equal(await door({}, {}, { once }).pay({ nonce: 'a' }), 'SALLY_STORE_UNAVAILABLE')
  }
  const silent = door({}, { timeoutMs: 20 }, { once: () => new Promise(() => {}) })
  assert.equal(await silent.pay({ nonce: 'a' }), 'SALLY_CONTROL_TIMEOUT')
})

test('the store is told when the message was made, and nothing that names user or nonce', async () => {
  const asked: unknown[] = []
  const once: Store['once'] = (...given) => asked.push(...given) > 0
  const { pay, clock } = door({}, {}, { once })
  await pay({ nonce: 'a secret nonce', sentAt: clock.now - 5 }, `user ${'x'.repeat(900)}`)
  const [key, , bornAt] = asked as [string, number, number]
  assert.match(key, /^message:[\w-]{43}$/)
  assert.equal(bornAt, clock.now - 5)
})

test('guards of another name on one store count apart; those of one name together', async () => {
  const memory = createMemoryStore()
  const [one, same, other] = ['shop', 'shop', 'bank'].map(name => door({}, { name }, { once: memory.once }))
  assert.deepEqual(
    [await one!.pay({ nonce: 'a' }), await same!.pay({ nonce: 'a' }), await other!.pay({ nonce: 'a' })],
    ['PASS', REPLAYED, 'PASS'],
  )
})

test('report mode refuses nothing, and tells each', async () => {
  const { pay, told, text } = door({}, { report: new Set(['message/replay'] as const) })
  for (const fields of [
    { nonce: 'a' },
    { nonce: 'a' },
    { nonce: 'b', sentAt: 970_000 - 500 },
    {},
    { nonce: 'c', sentAt: '' },
  ])
    assert.equal(await pay(fields), 'PASS')
  assert.equal(await text('{"type":"pay","to":"bob","nonce":"z","sentAt":1040000}'), 'PASS')
  assert.deepEqual(told.map(sentenceOf), [
    'the nonce in the field nonce was used before',
    'the time in the field sentAt is 30500 ms behind the clock of this server, more than 30000',
    'the field nonce is missing, or is no text of 1 to 128 characters and no safe integer',
    'the field sentAt is missing, or is no number of ms since the epoch',
    'the time in the field sentAt is 40000 ms ahead of the clock of this server, more than 30000',
  ])
})

test('with a time alone old messages are refused; one within the window passes again, and the report says so', async () => {
  const { pay, clock } = door({ replay: { ...REPLAY, nonce: null } })
  assert.deepEqual([await pay({}), await pay({})], ['PASS', 'PASS'])
  assert.equal(await pay({ sentAt: clock.now - WINDOW_MS - 1 }), 'SALLY_MESSAGE_STALE')
  const policy = parsePolicy(written({ 'message.replay': { time: 'sentAt' } }))
  const line = reportPolicy(policy).controls.find(({ control }) => control === 'message/replay')
  assert.equal(line?.values, 'sentAt within 30 s; no nonce: a replay within that time passes')
})

/** Sections that are refused at start: where, and what to write. */
const MISTAKES: readonly (readonly [name: string, section: unknown, key: string, remedy: RegExp, message?: object])[] =
  [
    ['no field', {}, 'time', /^write time: 'sentAt'/],
    ['a nonce alone', { nonce: 'nonce' }, 'time', /^write time: 'sentAt'/],
    ['true', true, '', /^write replay: \{ nonce: 'nonce', time: 'sentAt' \}/],
    ['one field for both', { nonce: 'id', time: 'id' }, 'time', /another field/],
    ['the field of the type', { nonce: 'type', time: 'sentAt' }, 'nonce', /another field/],
    ['a prototype key', { nonce: '__proto__', time: 'sentAt' }, 'nonce', /write the key/],
    ['a field of 65 characters', { nonce: 'x'.repeat(65), time: 'sentAt' }, 'nonce', /write the key/],
    ['a window of nothing', { time: 'sentAt', window: 0 }, 'window', /30 seconds/],
    ['a window of an hour', { time: 'sentAt', window: '1 h' }, 'window', /^write '10 min' or less$/],
    ['binary data', { time: 'sentAt' }, 'time', /data: 'json'/, { 'message.format': { data: 'binary' } }],
    ['format turned off', { time: 'sentAt' }, 'time', /data: 'json'/, { 'message.format': { dangerouslyOff: true } }],
  ]
for (const [name, section, key, remedy, message] of MISTAKES) {
  test(`the policy is refused: ${name}`, () => {
    const schema = message === undefined ? {} : { 'message.schema': { dangerouslyAcceptAnyMessage: true } }
    const problems = problemsOf(written({ 'message.replay': section, ...schema, ...message }))
    const path = key === '' ? 'message.replay' : `message.replay.${key}`
    assert.ok(
      problems.some(problem => problem.path === path && remedy.test(problem.remedy)),
      JSON.stringify(problems),
    )
  })
}

describe('over connections', () => {
  const pay = z.object({ type: z.literal('pay'), to: z.string(), nonce: z.string(), sentAt: z.number() })
  const message = { schema: { pay }, replay: { nonce: 'nonce', time: 'sentAt' } }
  const paying = (paid: string[]) => ({
    handlers: {
      pay(sent: object, connection: { send(value: object): boolean }) {
        const { nonce } = sent as { nonce: string }
        paid.push(nonce)
        connection.send({ type: 'paid', nonce })
      },
    },
  })
  const payment = (nonce: string, sentAt = Date.now()): string =>
    JSON.stringify({ type: 'pay', to: 'bob', nonce, sentAt })
  const ask = async (socket: WebSocket, text: string): Promise<unknown> => {
    socket.send(text)
    return nextMessage(socket)
  }
  const error = (code: string): object => ({ type: 'error', code })

  test('the page hears the code; the same text on a second connection is a replay, for another user it is none', async () => {
    const paid: string[] = []
    const world = await createWorld({ message }, paying(paid))
    try {
      const [one, two, other] = [await world.connect(), await world.connect(), await world.connect('bob-1')]
      const text = payment('a')
      assert.deepEqual(await ask(one, text), { type: 'paid', nonce: 'a' })
      for (const socket of [one, two]) assert.deepEqual(await ask(socket, text), error(REPLAYED))
      assert.deepEqual(await ask(one, payment('b', 1)), error('SALLY_MESSAGE_STALE'))
      assert.deepEqual(await ask(one, payment('b')), { type: 'paid', nonce: 'b' })
      assert.deepEqual(await ask(other, text), { type: 'paid', nonce: 'a' })
      assert.deepEqual(paid, ['a', 'b', 'a'])
      const denial = await world.event(event => event.kind === 'denial' && event.code === REPLAYED)
      assert.ok(!JSON.stringify(denial).includes('"a"'), 'no nonce in an event')
    } finally {
      await world.close()
    }
  })

  test('honest: 100 payments in one write pass in order, and a heartbeat needs no nonce', async () => {
    const paid: string[] = []
    const world = await createWorld({ message }, paying(paid))
    try {
      const socket = await world.connect()
      const answers = nextTexts(socket, 99)
      const nonces = Array.from({ length: 98 }, (_, index) => `n${index}`)
      for (const nonce of nonces) socket.send(payment(nonce))
      socket.send('{"type":"sallyport.ping"}')
      assert.equal((await answers).at(-1), '{"type":"sallyport.pong"}')
      assert.deepEqual(paid, nonces)
    } finally {
      await world.close()
    }
  })

  test('a replay is a strike: the sixth within a minute closes the connection', async () => {
    const world = await createWorld({ message }, paying([]))
    try {
      const socket = await world.connect()
      const closed = new Promise<number>(resolve => socket.once('close', resolve))
      for (let nth = 0; nth < 7; nth++) socket.send(payment('a', 1))
      assert.equal(await closed, 1008)
    } finally {
      await world.close()
    }
  })

  test('attack: on two nodes that share a Redis', async t => {
    const server = await startRedis()
    t.after(() => server.close())
    const paid: string[] = []
    const handshake = { ticket: { dangerouslyWithoutTicket: true } }
    // A Redis that has just started refuses what is older than itself. This client's clock is ahead.
    const sentAt = Date.now() + 10_000
    const nodes = await Promise.all(
      ['one', 'two'].map(async () => {
        const client = new Redis({ port: server.port })
        const store = redis(client, { secret: 'a secret of tests that is long enough', deadlineMs: 2000 })
        await store.ready()
        const world = await createWorld({ message, store, handshake }, paying(paid))
        t.after(async () => {
          await world.close()
          await store.close()
          client.disconnect()
        })
        const socket = world.client({ sid: 'ann-1', protocols: ['sallyport.v1'] })
        await once(socket, 'open')
        return socket
      }),
    )
    const [one, two] = nodes as [WebSocket, WebSocket]
    const text = payment('a', sentAt)
    const answers = await Promise.all([ask(one, text), ask(two, text)])
    assert.deepEqual(answers.map(answer => (answer as { type: string }).type).toSorted(), ['error', 'paid'])
    assert.deepEqual(await ask(two, text), error(REPLAYED))
    assert.deepEqual(await ask(two, payment('b', sentAt)), { type: 'paid', nonce: 'b' })
    assert.deepEqual(paid, ['a', 'b'])
  })

  test('Socket.IO: the payload of an event holds both fields', async t => {
    const say = z.object({ text: z.string(), nonce: z.string(), sentAt: z.number() })
    const { io, client, denial } = await host(t, { message: { schema: { say }, replay: message.replay } as never })
    const heard: unknown[] = []
    io.on('connection', socket => void socket.on('say', (given: { text: string }) => heard.push(given.text)))
    const socket = await client('websocket')
    const sentAt = Date.now()
    for (const text of ['one', 'again']) socket.emit('say', { text, nonce: 'a', sentAt })
    await denial(REPLAYED)
    assert.deepEqual(heard, ['one'])
  })
})

test('types: a policy without a time does not compile', () => {
  const schema = { pay: { type: 'object' } } as const
  const handshake = { origin: { allow: ['https://app.company.com'] }, session: () => null }
  // @ts-expect-error -- the field of the time is required
  assert.throws(() => createGuard({ handshake, message: { schema, replay: { nonce: 'nonce' } } }), /time/)
})
