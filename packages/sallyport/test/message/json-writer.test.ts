import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { NO_ROOM, UNUSUAL, writeJson } from '../../src/message/json-writer.ts'

const MARGIN = 5
const target = Buffer.alloc(262_144)

/** What is written, or the code; the bytes around it must stay as they were. */
function written(value: object, room = target.length - 2 * MARGIN): string | number {
  target.fill(0xee, 0, MARGIN + room + MARGIN)
  const end = writeJson(target, MARGIN, MARGIN + room, value)
  assert.ok(end <= MARGIN + room)
  for (let index = 0; index < MARGIN; index++) {
    assert.equal(target[index], 0xee, 'before the room')
    assert.equal(target[MARGIN + room + index], 0xee, 'behind the room')
  }
  return end < 0 ? end : target.toString('utf8', MARGIN, end)
}

const long = 'The quick brown fox jumps over the lazy dog. '.repeat(4)
const plain: Record<string, object> = {
  'an empty object': {},
  'an empty array': [],
  'all kinds': { a: 'x', b: 1, c: true, d: false, e: null, f: [1, 'two', { three: 3 }], g: {} },
  numbers: { numbers: [0, -0, 1.5, -1e21, 1e-7, 5e-324, Number.MAX_SAFE_INTEGER, 2 ** 64, NaN, Infinity, -Infinity] },
  'what has no form in JSON': { a: undefined, b: () => 1, c: Symbol('c'), d: [undefined, () => 1, Symbol('d')], e: 1 },
  'only what has no form in JSON': { a: undefined },
  'a hole': { list: Object.assign([], { 0: 1, 2: 3 }) },
  'keys like numbers, which come first': { b: 1, 2: 2, a: 3, 1: 4 },
  'keys that need escapes': { '"': 1, '\n': 2, é: 3, '\\': 4, '\ud800': 5, '': 6 },
  'the key __proto__': JSON.parse('{"__proto__":{"a":1},"b":2}') as object,
  'a symbol as key, and one that is not enumerable': Object.defineProperty({ [Symbol('s')]: 1, a: 1 }, 'b', {
    value: 2,
  }),
  'short strings that need escapes': {
    list: ['"', '\\', '\n', '\u0000', '\u001f', '\u007f', '\u2028', 'é', '€', '😀'],
  },
  'lone surrogates, which are escaped': { list: ['\ud800', 'a\udc00b', '\udc00\ud800', `${long}\ud83d`] },
  'long strings': { list: [long, `${long}"`, `${long}\n${long}`, `${long}é`, `${long}😀`, `\\${long}`] },
  'a string that was cut out, and one that was put together': {
    cut: long.slice(3, 90),
    joined: long + String(long.length),
  },
  'an accessor': {
    get a() {
      return 'got'
    },
  },
  'a proxy': new Proxy({ a: 1 }, {}),
  'as deep as may be': JSON.parse(`${'['.repeat(15)}{}${']'.repeat(15)}`) as object,
}

describe('what is plain is written as JSON.stringify writes it', () => {
  for (const [name, value] of Object.entries(plain)) {
    test(name, () => {
      const expected = JSON.stringify(value)
      assert.equal(written(value), Buffer.from(expected).toString())
      // Never more than the room, and never less than all.
      const bytes = Buffer.byteLength(expected)
      assert.equal(written(value, bytes), expected)
      for (let room = 0; room < bytes; room++) assert.equal(written(value, room), NO_ROOM, `${room} of ${bytes}`)
    })
  }
})

class Own {
  a = 1
}
const cycle: Record<string, unknown> = {}
cycle['self'] = cycle
const unusual: Record<string, object> = {
  'a date': new Date(0),
  'a date within': { list: [new Date(0)] },
  'a class of the app': new Own(),
  'a null prototype': Object.create(null) as object,
  'raw JSON': (JSON as unknown as { rawJSON(text: string): object }).rawJSON('1'),
  'an own toJSON': { toJSON: () => 'x' },
  'a map': new Map(),
  'bytes within': { bytes: new Uint8Array(1) },
  'a boxed string': { text: Object('x') as object },
  'a bigint': { big: 1n },
  'an array of a class': new (class extends Array<number> {})(),
  'itself within': cycle,
  'deeper than may be': JSON.parse(`${'['.repeat(17)}${']'.repeat(17)}`) as object,
}

describe('what is not plain is left to JSON.stringify', () => {
  for (const [name, value] of Object.entries(unusual)) test(name, () => assert.equal(written(value), UNUSUAL))

  test('a toJSON on the prototype of every object or array', () => {
    for (const prototype of [Object.prototype, Array.prototype] as object[]) {
      Object.defineProperty(prototype, 'toJSON', { value: () => 'polluted', configurable: true })
      try {
        assert.equal(written([1]), UNUSUAL)
      } finally {
        Reflect.deleteProperty(prototype, 'toJSON')
      }
    }
  })

  test('what an accessor throws is thrown', () => {
    const value = {
      get a(): never {
        throw new RangeError('as the app does')
      },
    }
    assert.throws(() => written(value), RangeError)
  })
})

test('any JSON value, whatever the room: as JSON.stringify, or no room', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc.string({ unit: 'grapheme', maxLength: 120 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 400 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 90 }).map(units => String.fromCharCode(...units)),
  )
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.double(),
      fc.integer(),
      fc.constantFrom(true, false, null, undefined),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(text, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(text, value, { noNullPrototype: true }), fc.nat(300), (held, slack) => {
      const expected = Buffer.from(JSON.stringify(held))
      const room = expected.length - 150 + slack
      const result = written(held, Math.max(0, room))
      assert.equal(result, room < expected.length ? NO_ROOM : expected.toString())
    }),
    { numRuns: 5000 },
  )
})
