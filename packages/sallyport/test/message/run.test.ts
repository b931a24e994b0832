import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { sentenceOf } from '../../src/policy/denials.ts'
import { MESSAGE_DOOR } from '../../src/controls/message/door.ts'
import { createMessageDoor } from '../../src/controls/message/run.ts'
import { Subject } from '../../src/controls/message/subject.ts'
import type { Policy } from '../../src/policy/types.ts'
import { PASS } from '../../src/model/verdict.ts'
import type { ControlId } from '../../src/model/verdict.ts'
import { codeOf, connectionOf, partsWith, perMinute, policyWith, textOf } from './door-fixtures.ts'
import type { TakeCall } from './door-fixtures.ts'

const SCHEMA: Policy['message']['schema'] = {
  types: { chat: z.object({ type: z.literal('chat'), text: z.string().max(5) }) },
  discriminator: 'type',
  unknownFields: 'strip',
}

function door(
  message: Partial<Policy['message']> = {},
  rest: Partial<Policy> = {},
  answer?: (call: TakeCall) => never,
) {
  const seen: string[] = []
  const { parts } = partsWith(answer)
  const run = createMessageDoor(policyWith({ schema: SCHEMA, ...message }, rest), parts, (control, denial, enforced) =>
    seen.push(`${control} ${denial.code} ${enforced}`),
  )
  return { run, seen, connection: connectionOf() }
}

test('the order: cheapest first, and the type before what it costs', () => {
  assert.deepEqual(
    MESSAGE_DOOR.map(({ id }) => id),
    [
      'message/size',
      'message/rate',
      'message/format',
      'message/replay',
      'message/schema',
      'message/rate',
      'message/authorize',
      'message/replay',
    ],
  )
})

test('an honest message passes at once, with its type and the validated value', () => {
  const { run, connection, seen } = door()
  const subject = textOf('{"type":"chat","text":"hi","isAdmin":true}')
  assert.equal(run(subject, connection), PASS)
  assert.deepEqual([subject.type, subject.value], ['chat', { type: 'chat', text: 'hi' }])
  assert.deepEqual(seen, [])
})

const rows: readonly [name: string, text: string, seen: readonly string[], message?: Partial<Policy['message']>][] = [
  ['too big is denied before it is parsed', 'x'.repeat(65_537), ['message/size SALLY_MESSAGE_TOO_BIG true']],
  ['no JSON', 'x', ['message/format SALLY_MESSAGE_NOT_JSON true']],
  ['an unknown type', '{"type":"x"}', ['message/schema SALLY_MESSAGE_TYPE true']],
  ['a bad value', '{"type":"chat","text":"too long"}', ['message/schema SALLY_MESSAGE_INVALID true']],
  [
    'forbidden',
    '{"type":"chat","text":"hi"}',
    ['message/authorize SALLY_MESSAGE_FORBIDDEN true'],
    { authorize: () => false },
  ],
  [
    'a rule that throws',
    '{"type":"chat","text":"hi"}',
    ['message/authorize SALLY_CONTROL_FAILED true'],
    {
      authorize: () => {
        throw new Error('x')
      },
    },
  ],
]
for (const [name, text, expected, message] of rows) {
  test(name, async () => {
    const { run, seen, connection } = door(message)
    assert.equal((await run(textOf(text), connection)).pass, false)
    assert.deepEqual(seen, expected)
  })
}

test('a store that is down denies', async () => {
  const { run, connection, seen } = door({}, {}, () => {
    throw new Error('ECONNREFUSED 10.0.0.7')
  })
  const verdict = await run(textOf('{"type":"chat","text":"hi"}'), connection)
  assert.ok(!verdict.pass)
  assert.equal(sentenceOf(verdict), 'message/rate threw Error')
  assert.deepEqual(seen, ['message/rate SALLY_CONTROL_FAILED true'])
})

test('report all: every control says what it would deny, and the message goes on unchanged', async () => {
  const { run, connection, seen } = door(
    {
      authorize: () => false,
      rate: {
        messages: perMinute(1),
        bytes: perMinute(1),
        perUser: perMinute(1),
        perIp: perMinute(1),
        cost: {},
        exceed: 'close',
      },
    },
    { report: 'all' },
  )
  void run(textOf('{}', 1), connection)
  seen.length = 0
  const subject = textOf('{"type":"chat","text":"too long","text":"too long"}', 99_999)
  assert.equal(codeOf(await run(subject, connection)), 'PASS')
  assert.deepEqual(seen, [
    'message/size SALLY_MESSAGE_TOO_BIG false',
    'message/rate SALLY_MESSAGE_RATE false',
    'message/format SALLY_MESSAGE_KEY false',
    'message/schema SALLY_MESSAGE_INVALID false',
    'message/authorize SALLY_MESSAGE_FORBIDDEN false',
  ])
  assert.deepEqual([subject.type, subject.value], ['chat', { type: 'chat', text: 'too long' }])
})

test('report one: the others still deny', async () => {
  const { run, connection, seen } = door({ authorize: () => false }, { report: new Set<ControlId>(['message/schema']) })
  const verdict = await run(textOf('{"type":"chat","text":"too long"}'), connection)
  assert.equal(codeOf(verdict), 'SALLY_MESSAGE_FORBIDDEN')
  assert.deepEqual(seen, [
    'message/schema SALLY_MESSAGE_INVALID false',
    'message/authorize SALLY_MESSAGE_FORBIDDEN true',
  ])
})

test('a rule that never answers denies when the time is over', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { run, connection } = door({ authorize: () => new Promise(() => {}) })
  const done = run(textOf('{"type":"chat","text":"hi"}'), connection)
  t.mock.timers.tick(1000)
  assert.equal(codeOf(await done), 'SALLY_CONTROL_TIMEOUT')
})

const READABLE: Policy['message']['schema'] = {
  types: {
    chat: {
      type: 'object',
      properties: { type: { const: 'chat' }, text: { type: 'string', maxLength: 5 } },
      required: ['type', 'text'],
    },
  },
  discriminator: 'type',
  unknownFields: 'strip',
}

function lent(text: string): Subject {
  const bytes = Buffer.from(`<${text}>`)
  return Subject.lent(bytes, 1, bytes.length - 1, bytes.length === text.length + 2)
}

test('a message like those before it is read off its bytes, and nobody asks for its text', () => {
  const { run, connection, seen } = door({ schema: READABLE })
  for (const [text, read] of [
    ['one', false],
    ['two', true],
    ['three', true],
  ] as const) {
    const subject = lent(`{"type":"chat","text":"${text}"}`)
    assert.equal(run(subject, connection), PASS)
    assert.deepEqual([subject.type, subject.value, subject.read], ['chat', { type: 'chat', text }, read])
  }
  assert.deepEqual(seen, [])
})

const alike: readonly [name: string, text: string, code: string][] = [
  ['a value that is too long', '{"type":"chat","text":"toolong"}', 'SALLY_MESSAGE_INVALID'],
  ['a value of another kind', '{"type":"chat","text":1}', 'SALLY_MESSAGE_INVALID'],
  ['another type', '{"type":"chax","text":"a"}', 'SALLY_MESSAGE_TYPE'],
  ['a key twice', '{"type":"chat","text":"a","text":"b"}', 'SALLY_MESSAGE_KEY'],
  ['bytes behind it', '{"type":"chat","text":"a"}}', 'SALLY_MESSAGE_NOT_JSON'],
  ['cut short', '{"type":"chat","text":"a"', 'SALLY_MESSAGE_NOT_JSON'],
]
for (const [name, text, code] of alike) {
  test(`${name}: denied as ever, though the message before was read`, async () => {
    const { run, connection } = door({ schema: READABLE })
    for (const before of ['a', 'b', 'c']) void run(lent(`{"type":"chat","text":"${before}"}`), connection)
    assert.equal(codeOf(await run(lent(text), connection)), code)
  })
}

test('what report mode let pass teaches the reader nothing: it is reported again', async () => {
  for (const [control, text] of [
    ['message/format', '{"type":"chat","text":"a","text":"b"}'],
    ['message/schema', '{"type":"chat","text":"toolong"}'],
  ] as const) {
    const { run, connection, seen } = door({ schema: READABLE }, { report: new Set<ControlId>([control]) })
    for (let round = 0; round < 3; round++) assert.equal(codeOf(await run(lent(text), connection)), 'PASS')
    assert.equal(seen.length, 3)
  }
})

test('who takes bytes is given no value of what can go on as it is; who is asked for a rule is', async () => {
  const asked: unknown[] = []
  const rule = (_session: unknown, message: unknown): boolean => asked.push(message) > 0
  for (const authorize of [null, rule]) {
    const { run, connection } = door({ schema: READABLE, authorize })
    const taking = { ...connection, judgedAt: connection.judgedAt, takesBytes: true }
    void run(lent('{"type":"chat","text":"one"}'), taking)
    const subject = lent('{"type":"chat","text":"two"}')
    assert.equal(codeOf(await run(subject, taking)), 'PASS')
    const value = authorize === null ? undefined : { type: 'chat', text: 'two' }
    assert.deepEqual([subject.type, subject.exact, subject.value], ['chat', authorize === null, value])
  }
  assert.deepEqual(asked.at(-1), { type: 'chat', text: 'two' })
})

test('text beyond ASCII is left to format and schema', () => {
  const { run, connection } = door({ schema: READABLE })
  for (let round = 0; round < 3; round++) {
    const subject = lent('{"type":"chat","text":"é"}')
    assert.equal(run(subject, connection), PASS)
    assert.deepEqual([subject.value, subject.read], [{ type: 'chat', text: 'é' }, false])
  }
})

test('a message that is held on to keeps its text, whatever becomes of the bytes', () => {
  const bytes = Buffer.from('{"a":1}')
  const subject = Subject.lent(bytes, 0, bytes.length, true)
  subject.keep()
  bytes.fill(0)
  subject.keep()
  assert.deepEqual([subject.text, subject.lent, subject.bytes], ['{"a":1}', null, 7])
})
