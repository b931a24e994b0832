import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { fc } from '../../../../test/support/fast-check.ts'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'
import { pairOf, policyFor } from './template-fixtures.ts'

const TYPES: SchemaMap = {
  chat: Type.Object({
    type: Type.Literal('chat'),
    message: Type.String({ minLength: 1, maxLength: 12 }),
    roomId: Type.String({ pattern: '^[0-9a-f]{2}-[0-9a-f]{2}$' }),
  }),
  move: Type.Object(
    {
      type: Type.Literal('move'),
      at: Type.Object({ x: Type.Integer({ minimum: -5, maximum: 100 }), y: Type.Number({ exclusiveMinimum: 0 }) }),
      fast: Type.Optional(Type.Boolean()),
      note: Type.Optional(Type.Null()),
    },
    { additionalProperties: false },
  ),
  tag: {
    type: 'object',
    required: ['color'],
    minProperties: 3,
    properties: {
      type: { enum: ['tag', 'other'] },
      color: { enum: ['red', 'green', 1, 12, null, true] },
      word: { type: 'string', pattern: 'a|b+' },
      slug: { type: 'string', pattern: '^[a-z][a-z0-9]*$', maxLength: 6 },
      later: { type: 'array', items: { type: 'string' } },
    },
  },
}

const TOKENS = [
  ...'0 -0 1 -1 -5 -6 100 101 1.0 1.5 -0.0 0.0 0.1 12 123 00 01 .5 5. +1 1e2 1E400 1e-7 1. - 1-1 0x1 999999999999999'.split(
    ' ',
  ),
  ...'9999999999999999 1234567890.12345 123456789012345.6 0.30000000000000004 0.000000000000001 0.0000000000000001'.split(
    ' ',
  ),
  // What format judges by its digits: none of it may be read.
  ...'9007199254740991 9007199254740992 9007199254740993 -9007199254740993 18446744073709551615 0.12345678901234567'.split(
    ' ',
  ),
  ...'0.123456789012345678 1.00000000000000001 1.000000000000000000000000 5e-325 1e-400 3E-324 1e22 -0.0e9 1e0001'.split(
    ' ',
  ),
  ...'1.7976931348623157e308 true false null tru nulll True NaN Infinity {} [] ["a"] {"x":1,"y":2} {"x":1} "" "a" "b"'.split(
    ' ',
  ),
  ...'"red" "green" "gree" "greenn" "chat" "tag" "other" "ab-09" "AB-09" "ab-0" "ab-091" "abcdefghijkl" "__proto__"'.split(
    ' ',
  ),
  ...'"abcdefghijklm" "a1" "1a" "abcdef" "abcdefg" "\x7f" " "a a" "a"" "a","b":" "a","type":"chat"'.split(' '),
  ...String.raw`"\u0061" "\ud800" "\ud83d\ude00" "\"" "\\" "\n" "a\"`.split(' '),
  '" "',
  '"\t"',
  '"\n"',
  '"\0"',
  '"\x1f"',
  `"${'x'.repeat(30)}"`,
  '',
  ' ',
  '1 ',
  ' 1',
]
const KEYS = [
  ...'"type" "message" "roomId" "at" "x" "y" "fast" "note" "color" "word" "slug" "later" "extra" "1" ""'.split(' '),
  ...String.raw`"__proto__" "constructor" "toString" "\u0074ype" "typ\u0065" "a\"b"`.split(' '),
]
const WRITERS: readonly ((text: string) => string)[] = [
  text => text,
  text => text.replaceAll(',', ', ').replaceAll(':', ': '),
  text => ` ${text}\n`,
  text => text.replaceAll(':', ' :\t').replaceAll('}', '\r\n}'),
]
const SEEDS = [
  '{"type":"chat","message":"hello","roomId":"0a-9f"}',
  '{"roomId":"0a-9f","message":"a longer one","type":"chat"}',
  '{"type":"move","at":{"x":1,"y":0.5}}',
  '{"type":"move","at":{"y":2,"x":-5},"fast":true,"note":null}',
  '{"fast":false,"at":{"x":100,"y":1},"type":"move"}',
  '{"type":"tag","color":"red","word":"xax"}',
  '{"type":"tag","color":12,"slug":"ab1"}',
  '{"color":null,"word":"b","slug":"z","type":"tag"}',
  '{"type":"tag","color":true,"word":"a","later":["x"]}',
]

type Edit = (text: string) => string
const place = fc.double({ min: 0, max: 0.9999, noNaN: true })
const atom = fc.oneof(
  fc.constantFrom(...'{}[]:,"\\ \t\n\r\0-+.eE0123456789truefalsn\x7f/u'.split('')),
  fc.constantFrom(...TOKENS, ...KEYS),
)
/** One change of a text: of bytes, of a value, of a key, of a part that is dropped, doubled or swapped. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.nat(2), atom).map(([at, drop, insert]): Edit => {
    return text => {
      const from = Math.floor(at * text.length)
      return text.slice(0, from) + insert + text.slice(from + drop)
    }
  }),
  fc.tuple(place, fc.integer({ min: 0, max: 6 })).map(([at, bit]): Edit => {
    return text => {
      const from = Math.floor(at * text.length)
      return (
        text.slice(0, from) + String.fromCharCode((text.charCodeAt(from) ^ (1 << bit)) & 127) + text.slice(from + 1)
      )
    }
  }),
  {
    weight: 4,
    arbitrary: fc.tuple(place, fc.constantFrom(...TOKENS)).map(([at, token]) => replaced(VALUE, at, token)),
  },
  fc.tuple(place, fc.constantFrom(...KEYS)).map(([at, token]) => replaced(KEY, at, token)),
  fc.tuple(place, place).map(([at, to]): Edit => {
    return text => {
      const fields = text.split(',')
      const [field] = fields.splice(Math.floor(at * fields.length), 1)
      fields.splice(Math.floor(to * (fields.length + 1)), 0, field!)
      return fields.join(',')
    }
  }),
  fc.tuple(place, fc.boolean()).map(([at, twice]): Edit => {
    return text => {
      const fields = text.split(',')
      const index = Math.floor(at * fields.length)
      fields.splice(index, 1, ...(twice ? [fields[index]!, fields[index]!] : []))
      return fields.join(',')
    }
  }),
  fc.tuple(place, place).map(
    ([from, to]): Edit =>
      text =>
        text.slice(0, from * text.length) + text.slice(to * text.length),
  ),
)
const VALUE = /(?<=:\s*)(?:"[^"]*"|[-\w.]+)/g
const KEY = /"[^"]*"(?=\s*:)/g

function replaced(what: RegExp, at: number, token: string): Edit {
  return text => {
    const found = [...text.matchAll(what)]
    const one = found[Math.floor(at * found.length)]
    return one === undefined ? text : text.slice(0, one.index) + token + text.slice(one.index + one[0].length)
  }
}

const message = fc
  .tuple(fc.constantFrom(...SEEDS), fc.constantFrom(...WRITERS), fc.array(edit, { maxLength: 3 }))
  .map(([seed, write, edits]) => edits.reduce((text, change) => change(text), write(seed)))
  // The wire says what is ASCII; all else is never read.
  // oxlint-disable-next-line no-control-regex
  .filter(text => /^[\0-\x7f]*$/.test(text))

for (const unknownFields of ['strip', 'refuse'] as const) {
  test(`property: what is read passes format and schema, with the same value (unknown fields: ${unknownFields})`, () => {
    let pair = pairOf(policyFor(TYPES, { schema: { unknownFields } }))
    let asked = 0
    let readCount = 0
    fc.assert(
      fc.property(fc.array(message, { minLength: 20, maxLength: 20 }), texts => {
        // A new one from time to time: what hostile texts leave behind is part of what is tested.
        if (asked++ % 50 === 0) {
          pair = pairOf(policyFor(TYPES, { schema: { unknownFields } }))
          for (const seed of SEEDS) pair.take(seed)
        }
        for (const text of texts) if (pair.take(text) !== null) readCount++
      }),
      { numRuns: 1000 },
    )
    assert.ok(readCount > 1500, `${readCount} of 20 000 were read`)
  })
}

test('property: what was learned from any one text lets nothing pass that is denied', () => {
  let readCount = 0
  fc.assert(
    fc.property(message, fc.array(edit, { minLength: 8, maxLength: 8 }), (text, edits) => {
      const pair = pairOf(policyFor(TYPES))
      if (!pair.ask(text).passes) return
      pair.take(text)
      if (pair.take(text) !== null) readCount++
      // oxlint-disable-next-line no-control-regex
      for (const change of edits) if (/^[\0-\x7f]*$/.test(change(text))) pair.take(change(text))
    }),
    { numRuns: 300 },
  )
  assert.ok(readCount > 20, `${readCount} texts were read once learned`)
})
