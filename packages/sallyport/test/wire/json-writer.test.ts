import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runInNewContext, runInThisContext } from 'node:vm'
import { fc } from '../../../../test/support/fast-check.ts'
import { writeJsonFrame, writeTextFrame } from '../../src/wire/encoder.ts'
import { NO_ROOM, NOT_PLAIN, writeJson } from '../../src/wire/json-writer.ts'

const AROUND = 5
/** So many rooms that are too small are tried for each value. */
const ROOMS = 500

/** What is written in exactly so many bytes, or the answer below 0; nothing around them may change. */
function written(value: object, room: number): string | number {
  const target = Buffer.alloc(room + 2 * AROUND, 0xaa)
  const stop = writeJson(target, AROUND, AROUND + room, value)
  assert.ok(
    target.subarray(0, AROUND).every(byte => byte === 0xaa),
    'wrote before the range',
  )
  assert.ok(
    target.subarray(AROUND + room).every(byte => byte === 0xaa),
    'wrote behind the range',
  )
  return stop < 0 ? stop : target.toString('latin1', AROUND, stop)
}

/** In every room: `JSON.stringify`'s bytes where they fit, else `NO_ROOM`. */
function same(value: object): void {
  const json = Buffer.from(JSON.stringify(value))
  const latin1 = json.toString('latin1')
  assert.equal(written(value, json.length), latin1)
  assert.equal(written(value, json.length + 1), latin1)
  assert.equal(written(value, 4 * json.length), latin1)
  for (let room = Math.max(0, json.length - ROOMS); room < json.length; room++)
    assert.equal(written(value, room), NO_ROOM, `in ${room}`)
}

const TAIL = 'and so much more that no loop is short enough'
const argumentsOf = runInThisContext('(function () { return arguments })') as (...values: unknown[]) => object
const PLAIN: readonly (readonly [string, object])[] = [
  ['nothing', {}],
  ['an empty array', []],
  ['a reply', { type: 'chat', message: 'hello', roomId: 'r-1' }],
  ['a long reply', { type: 'chat', message: 'hello '.repeat(40), roomId: 'r-1' }],
  ['literals', [null, true, false, undefined]],
  ['numbers', [0, -0, 1, -1.5, 1e21, 1e-7, 2 ** 53, NaN, Infinity, -Infinity, Number.MIN_VALUE]],
  ['undefined properties, first and last', { a: undefined, b: 1, c: undefined }],
  ['undefined properties alone', { a: undefined }],
  ['every ASCII character, alone', Array.from({ length: 128 }, (_, unit) => String.fromCharCode(unit))],
  [
    'every ASCII character, in a long string',
    Array.from({ length: 128 }, (_, unit) => `${TAIL}${String.fromCharCode(unit)}${TAIL}`),
  ],
  ['escapes, then beyond ASCII', [`"é`, `${TAIL}"é`, `é"`, `é"${TAIL}`, '\n\u0001']],
  ['escapes in keys', { 'a"b\\c\n': 1, [`${TAIL}\u0000`]: 2, é: 3 }],
  ['lone surrogates', ['\ud800', '\udc00', `${TAIL}\ud83d`, `\ude00${TAIL}`, '\ude00\ud83d']],
  ['lone surrogates as a key', { '\ud800': 1 }],
  ['pairs of surrogates', ['😀', `${TAIL}😀${TAIL}`]],
  ['line separators', ['\u2028\u2029', '\u007f', '\ufeff', '\uffff']],
  ['keys like integers come first', { b: 1, 10: 2, 2: 3, '-1': 4, '01': 5 }],
  ['an own __proto__', JSON.parse('{"__proto__":{"a":1},"b":2}') as object],
  ['no prototype', Object.assign(Object.create(null) as object, { a: 'b' })],
  ['a key that is hidden', Object.defineProperty({ a: 1 }, 'b', { value: 2 })],
  ['a symbol for a key', { a: 1, [Symbol('s')]: 2 }],
  ['a frozen object', Object.freeze({ a: Object.freeze([1]) })],
  ['an array with a name beside its elements', Object.assign([1, 2], { name: 3 })],
  [
    'arrays of small integers, doubles and both',
    [
      [1, 2],
      [1.5, 2.5],
      [1, 'a', null],
    ],
  ],
  ['the arguments of a call', argumentsOf('a', 1)],
  ['eight deep', [[[[[[[['x']]]]]]]]],
  ['the same object twice', (shared => ({ a: shared, b: shared }))({ c: 1 })],
  ['a cons string', { a: TAIL.slice(1) + TAIL.slice(2) }],
  ['a slice of a string', { a: `${TAIL}é${TAIL}`.slice(3, -3) }],
  ['two-byte units that are all ASCII', { a: `${TAIL}Ω`.slice(0, -1) }],
  ['an object of no toJSON, by its name alone', { json: 1, toString: 'x', constructor: null }],
]

class Point {
  x = 1
}
function fail(): never {
  assert.fail('code of the value ran')
}
const traps = new Proxy({}, { get: () => fail })

const OTHER: readonly (readonly [string, () => object])[] = [
  [
    'a getter',
    () => ({
      get a() {
        return fail()
      },
    }),
  ],
  [
    'a getter in a nested object',
    () => ({
      a: 'x',
      b: {
        get c() {
          return fail()
        },
      },
    }),
  ],
  ['a getter in an array', () => Object.defineProperty([1, 2], 1, { get: fail, enumerable: true })],
  [
    'a setter alone',
    () => ({
      set a(_: unknown) {
        fail()
      },
    }),
  ],
  ['a proxy', () => new Proxy({}, traps)],
  ['a proxy of an array', () => new Proxy([], traps)],
  ['a proxy within', () => ({ a: new Proxy({}, traps) })],
  ['toJSON', () => ({ a: 1, toJSON: fail })],
  ['toJSON that is hidden', () => Object.defineProperty({ a: 1 }, 'toJSON', { value: fail })],
  ['toJSON by a getter', () => Object.defineProperty({ a: 1 }, 'toJSON', { get: fail })],
  ['toJSON of an array', () => Object.assign([1], { toJSON: fail })],
  ['a Date', () => ({ a: new Date(0) })],
  ['an instance of a class', () => new Point()],
  ['an array of a subclass', () => new (class extends Array {})()],
  ['an enumerable property of a prototype', () => Object.create({ inherited: 1 }) as object],
  ['a boxed string', () => ({ a: new String('x') })],
  ['a boxed number under another prototype', () => Object.setPrototypeOf(new Number(1), Object.prototype) as object],
  ['a boxed string under none', () => Object.setPrototypeOf(new String('x'), null) as object],
  ['a bigint', () => ({ a: 1n })],
  ['a symbol', () => ({ a: Symbol('s') })],
  ['a symbol in an array', () => [Symbol('s')]],
  ['a function', () => ({ a: fail })],
  ['a hole', () => Object.assign([], { 0: 1, 2: 2 })],
  ['an array without its prototype', () => Object.setPrototypeOf([1], null) as object],
  ['an array as an object', () => Object.setPrototypeOf([1], Object.prototype) as object],
  ['an object as an array', () => Object.create(Array.prototype) as object],
  ['an object of another realm', () => runInNewContext('({ a: 1 })') as object],
  ['a Map', () => new Map()],
  ['a Buffer', () => ({ a: Buffer.from('x') })],
  [
    'a cycle',
    () => {
      const value: unknown[] = []
      value.push(value)
      return value
    },
  ],
  ['nine deep', () => [[[[[[[[['x']]]]]]]]]],
  ['nine deep, in turns', () => ({ a: [{ a: [{ a: [{ a: [{}] }] }] }] })],
  ['raw JSON', () => ({ a: (JSON as unknown as { rawJSON(text: string): object }).rawJSON('1e1000') })],
]

describe('writeJson', () => {
  for (const [name, value] of PLAIN) test(`${name}: JSON.stringify's bytes, in every room`, () => same(value))

  for (const [name, make] of OTHER) {
    test(`${name}: left to JSON.stringify, and no code runs`, () => assert.equal(written(make(), 1000), NOT_PLAIN))
  }

  for (const [name, prototype] of [
    ['Object', Object.prototype],
    ['Array', Array.prototype],
  ] as const) {
    test(`toJSON on ${name}.prototype: left to JSON.stringify`, () => {
      Object.defineProperty(prototype, 'toJSON', { value: fail, configurable: true })
      try {
        assert.equal(written([1], 1000), NOT_PLAIN)
      } finally {
        delete (prototype as { toJSON?: unknown }).toJSON
      }
    })
  }

  for (const name of ['value', 'get', 'writable', 'extra']) {
    test(`Object.prototype.${name} is polluted: a setter is told all the same`, () => {
      const setter = {
        set a(_: unknown) {
          fail()
        },
      }
      const polluted = Object.prototype as Record<string, unknown>
      polluted[name] = true
      try {
        assert.equal(written(setter, 100), NOT_PLAIN)
        assert.equal(written({ a: 1 }, 100), name === 'value' ? NOT_PLAIN : '{"a":1}')
      } finally {
        delete polluted[name]
      }
    })
  }

  for (const [length, left] of [
    [255, false],
    [256, false],
    [257, true],
  ] as const) {
    test(`an escape in a string of ${length}: ${left ? 'left to JSON.stringify' : 'written'}`, () => {
      for (const end of ['"', '\n', '\u0001']) {
        const value = [end.padStart(length, 'x')]
        assert.equal(written(value, 1000), left ? NOT_PLAIN : JSON.stringify(value))
      }
    })
  }

  test('strings are not asked for toJSON, by JSON.stringify neither', () => {
    const prototype: object = String.prototype
    Object.defineProperty(prototype, 'toJSON', { value: fail, configurable: true })
    try {
      same({ a: 'b', c: 'é"' })
    } finally {
      delete (prototype as { toJSON?: unknown }).toJSON
    }
  })

  test('is JSON.stringify, whatever the value', () => {
    const unit = fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.nat(0xffff),
      fc.integer({ min: 0xd7f0, max: 0xe010 }),
      fc.constantFrom(0x22, 0x5c, 0, 0x0a),
    )
    const long = fc.array(unit, { maxLength: 60 }).map(units => String.fromCharCode(...units))
    const text = fc.oneof(long, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', maxLength: 80 }))
    const { value } = fc.letrec<{ value: unknown }>(tie => ({
      value: fc.oneof(
        { depthSize: 'small', maxDepth: 6 },
        text,
        fc.double(),
        fc.integer(),
        fc.constantFrom(null, true, false, undefined),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(fc.oneof(fc.array(value), fc.dictionary(text, value)), fc.nat(), (made, less) => {
        const json = Buffer.from(JSON.stringify(made))
        assert.equal(written(made, json.length), json.toString('latin1'))
        assert.equal(written(made, less % json.length), NO_ROOM)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('writeJsonFrame', () => {
  test('is the frame of the text, at every change of the header, whatever the size of the last one', () => {
    const sizes = [2, 120, 125, 126, 127, 2, 65_535, 65_536, 65_537, 126, 65_536, 2, 65_536, 65_535]
    const target = Buffer.alloc(70_000)
    const expected = Buffer.alloc(210_000)
    for (const size of sizes) {
      const value = size === 2 ? {} : { a: 'x'.repeat(size - 8) }
      const stop = writeTextFrame(expected, 0, JSON.stringify(value))
      // Room for the header of the last one, if it was longer.
      assert.equal(writeJsonFrame(target, 3, 3 + stop + 8, value), 3 + stop)
      assert.ok(target.subarray(3, 3 + stop).equals(expected.subarray(0, stop)), `${size} bytes`)
    }
  })

  test('a frame whose header is longer than the last one does not leave its room', () => {
    const target = Buffer.alloc(300, 0xaa)
    assert.equal(writeJsonFrame(target, 0, 20, {}), 4)
    const value = { a: 'x'.repeat(118) }
    assert.equal(writeJsonFrame(target, 0, 129, value), NO_ROOM)
    assert.ok(target.subarray(129).every(byte => byte === 0xaa))
    assert.equal(writeJsonFrame(target, 0, 130, value), 130)
    assert.equal(writeJsonFrame(target, 0, 130, value), 130)
    assert.equal(writeJsonFrame(target, 0, 129, value), NO_ROOM)
    assert.equal(writeJsonFrame(target, 0, 130, { a: fail }), NOT_PLAIN)
  })
})
