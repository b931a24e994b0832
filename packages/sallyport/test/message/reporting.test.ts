// What the message door says in report mode: which type, which fields, which rate.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { guarded } from '../guard/live.ts'

const CHAT = {
  type: 'object',
  properties: { text: { type: 'string' }, to: { type: 'object', properties: { id: {} } } },
}
const report = (message: object): Record<string, unknown> => ({ report: true, message })

const FIELDS: readonly (readonly [name: string, schema: object, message: object, detail: string | null])[] = [
  ['one field', CHAT, { type: 'chat', text: 'a', admin: true }, 'chat: /admin'],
  ['fields at any depth', CHAT, { type: 'chat', to: { id: 1, role: 'x' }, x: 1 }, 'chat: /to/role, /x'],
  ['a name that may be data', CHAT, { type: 'chat', 'ann@mail.example': 1 }, 'chat: /…'],
  [
    'fields of elements, once',
    { type: 'object', properties: { list: { type: 'array', items: { type: 'object', properties: { id: {} } } } } },
    {
      type: 'chat',
      list: [
        { id: 1, x: 1 },
        { id: 2, x: 1 },
      ],
    },
    'chat: /list/*/x',
  ],
  ['no field', CHAT, { type: 'chat', text: 'a' }, null],
  ['a Standard Schema', z.object({ text: z.string() }), { type: 'chat', text: 'a', admin: true }, 'chat: /admin'],
  [
    'more than are named',
    CHAT,
    { type: 'chat', ...Object.fromEntries(Array.from({ length: 40 }, (_, nth) => [`f${nth}`, 1])) },
    'chat: /f0, /f1, /f2, /f3, /f4, /f5, /f6, /f7 and more',
  ],
]
for (const [name, schema, message, detail] of FIELDS) {
  test(`undeclared fields: ${name}`, t => {
    const guard = guarded(t, report({ schema: { chat: schema } }))
    guard.seat().read(message)
    const found = guard.events.filter(({ code }) => code === 'SALLY_MESSAGE_FIELDS')
    assert.deepEqual(
      found.map(event => [event.enforced, event.detail]),
      detail === null ? [] : [[false, detail]],
    )
  })
}

test('an undeclared type is named, unless it may be data; only so many are', t => {
  const guard = guarded(t, report({ schema: { chat: CHAT }, rate: { dangerouslyOff: true } }))
  const { read } = guard.seat()
  for (const type of ['order.create', 'ann@mail.example', 'x'.repeat(65), '<script>']) read({ type })
  for (let nth = 0; nth < 100; nth++) read({ type: `t${nth}` })
  const details = guard.events.filter(({ code }) => code === 'SALLY_MESSAGE_TYPE').map(event => event.detail)
  assert.equal(details[0], 'the type order.create is not declared')
  for (const detail of details.slice(1, 4)) assert.equal(detail, 'the type is missing, is not text, or is not declared')
  assert.equal(new Set(details).size, 64 + 1)
})

test('enforced, no type of a peer is named and undeclared fields are stripped without a word', t => {
  const guard = guarded(t, { message: { schema: { chat: CHAT } } })
  const { read } = guard.seat()
  read({ type: 'order.create' })
  read({ type: 'chat', admin: true })
  assert.deepEqual(
    guard.events.filter(({ kind }) => kind === 'denial').map(event => event.detail),
    ['the type is missing, is not text, or is not declared'],
  )
})

test('a denial of the rate says which budget would have let all of it pass', t => {
  const guard = guarded(t, report({ schema: { chat: CHAT }, rate: { messages: 10, per: '1 minute' } }))
  const { read } = guard.seat()
  for (let nth = 0; nth < 25; nth++) read({ type: 'chat', text: 'a' })
  const denials = guard.events.filter(({ code }) => code === 'SALLY_MESSAGE_RATE')
  assert.equal(denials.length, 15)
  assert.match(denials.at(-1)?.detail ?? '', /needed so far: 25 messages in 60000 ms/)
})
