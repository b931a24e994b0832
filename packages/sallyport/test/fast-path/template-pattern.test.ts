import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { bytePattern, patternEnd } from '../../src/fast-path/template-pattern.ts'

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

const compiled: readonly [pattern: string, yes: readonly string[], no: readonly string[]][] = [
  [UUID, ['123e4567-e89b-12d3-a456-426614174000'], ['123E4567-e89b-12d3-a456-426614174000', '', '-'.repeat(36)]],
  ['^a$', ['a'], ['', 'b', 'aa', 'A']],
  ['^$', [''], ['a']],
  ['^a{3}$', ['aaa'], ['aa', 'aaaa']],
  ['^ab{0}c$', ['ac'], ['abc', 'a']],
  ['^[a-c]{2,3}$', ['ab', 'abc'], ['a', 'abca', 'ad']],
  ['^[a-c]{2,}$', ['ab', 'abcabc'], ['a', 'abd']],
  ['^x[a-c]*$', ['x', 'xabc'], ['', 'xd', 'abc']],
  ['^x[a-c]+$', ['xa', 'xabc'], ['x', 'xad']],
  ['^xa?$', ['x', 'xa'], ['xaa', 'xb']],
  ['^\\d\\w$', ['1_', '0Z', '9a'], ['a1', '1-', '1 ']],
  ['^.{2}$', ['ab', ' \x7f', '..'], ['a', 'abc']],
  ['^[^a-c]$', ['d', ' ', '^'], ['a', 'b', 'c']],
  ['^[-a]$', ['-', 'a'], ['b', ',']],
  ['^[a-]$', ['-', 'a'], ['b']],
  ['^[+--]$', ['+', ',', '-'], ['*', '.']],
  ['^[\\w-]+$', ['a-b_C', '-'], ['a b', '']],
  ['^[\\]\\^\\-]$', [']', '^', '-'], ['\\', '[']],
  ['^[[.$]$', ['[', '.', '$'], [']', 'a']],
  ['^a\\.b\\/c$', ['a.b/c'], ['axb/c']],
  ['^\\$$', ['$'], ['', '\\']],
  ['^[]$', [], ['', 'a']],
  ['^[^]$', ['a', ' '], ['', 'ab']],
]
for (const [source, yes, no] of compiled) {
  test(`table: ${source}`, () => {
    for (const text of yes) assert.ok(agrees(source, text), `takes ${text}`)
    for (const text of no) assert.ok(!agrees(source, text), `refuses ${text}`)
  })
}

const left: readonly [name: string, source: string][] = [
  ['no anchors', 'a'],
  ['no start', 'a$'],
  ['no end', '^a'],
  ['an end that is escaped', '^a\\$'],
  ['nothing', ''],
  ['one anchor', '^'],
  ['alternatives', '^a|b$'],
  ['a group', '^(ab)$'],
  ['a quantifier that is not the last', '^a*b$'],
  ['a lazy quantifier', '^a+?$'],
  ['a look-ahead', '^(?=a)a$'],
  ['a back reference', '^(a)\\1$'],
  ['a word boundary', '^\\ba$'],
  ['an escape by number', '^\\x41$'],
  ['a control escape', '^\\n$'],
  ['a property', '^\\p{L}$'],
  ['a negated escape', '^\\D$'],
  ['space', '^\\s$'],
  ['a letter beyond ASCII', '^é$'],
  ['a range beyond ASCII', '^[a-é]$'],
  ['anchors within', '^a^$'],
  ['more places than a table has', '^a{257}$'],
]
for (const [name, source] of left) {
  test(`left to RegExp: ${name}`, () => assert.equal(bytePattern(source), null))
}

test('a table of as many places as there may be', () => {
  assert.ok(agrees('^a{256}$', 'a'.repeat(256)))
  assert.ok(!agrees('^a{256}$', 'a'.repeat(255)))
  assert.ok(!agrees('^a{256}$', 'a'.repeat(257)))
})

test('no byte that must not stand in a plain string is ever in a class', () => {
  for (const source of ['^.$', '^[^x]$', '^[^]$', '^["-~]$', '^[ -\\]]$', '^"$', '^\\\\$']) {
    for (let byte = 0; byte < 256; byte++) {
      if (byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c) continue
      assert.equal(endOf(source, Buffer.of(byte)), -1, `${source} at ${byte}`)
    }
  }
})

const rows: readonly [source: string, words: boolean][] = [
  [UUID, true],
  ['^[a-z0-9]{4}$', true],
  ['^[ !]{5}$', true],
  ['^[A-Z][a-z]{6}$', true],
  ['^a{8}b$', true],
  ['^[x-~]{4}$', true],
  ['^.{7}$', false],
  ['^[\\w]{4}$', false],
  ['^a{3}$', false],
  ['^[^]{3}[^]$', false],
]
for (const [source, inWords] of rows) {
  test(`every byte at every place: ${source}`, () => {
    const { classes, places, words } = bytePattern(source)!
    assert.equal(words !== null, inWords)
    const fit = [...places].map(bit => classes.findIndex(byte => (byte & bit) !== 0))
    const bytes = Buffer.from(new Uint8Array(fit))
    assert.equal(endOf(source, bytes), places.length)
    for (let place = 0; place < places.length; place++) {
      for (let byte = 0; byte < 256; byte++) {
        bytes[place] = byte
        assert.equal(endOf(source, bytes) !== -1, (classes[byte]! & places[place]!) !== 0, `${byte} at ${place}`)
      }
      bytes[place] = fit[place]!
    }
  })
}

test('nothing beyond the end is looked at', () => {
  const pattern = bytePattern('^a{3}$')!
  const run = bytePattern('^a+$')!
  const view = new DataView(new Uint8Array([97, 97, 97, 97]).buffer)
  assert.equal(patternEnd(pattern, view, 1, 4), 4)
  assert.equal(patternEnd(pattern, view, 2, 4), ~2)
  assert.equal(patternEnd(run, view, 1, 3), 3)
  assert.equal(patternEnd(run, view, 3, 3), ~3)
})

test('a row beyond what the pattern allows is looked at no further, and how far it was is told', () => {
  let looked = 0
  class Counting extends DataView<ArrayBuffer> {
    override getUint8(at: number): number {
      looked++
      return super.getUint8(at)
    }
  }
  const view = new Counting(new Uint8Array(60_000).fill(97).buffer)
  for (const [source, stop] of [
    ['^[a-z]{1,10}$', ~11],
    ['^[a-z]?$', ~2],
    ['^[a-z]{1,50000}$', ~50_001],
    ['^xa*$', ~0],
    ['^aab$', ~2],
    ['^[a-z]+$', 60_000],
  ] as const) {
    looked = 0
    assert.equal(patternEnd(bytePattern(source)!, view, 0, 60_000), stop, source)
    assert.ok(looked <= Math.max(stop, ~stop) + 1, `${source}: ${looked} bytes`)
  }
})

const ALPHABET = ' !-./0129:AZ[]^_az{|}~$*+?(),\x7f'.split('')
const single = fc.constantFrom(...'abz09AZ_-,:= !'.split(''), '\\.', '\\$', '\\d', '\\w', '.', '\\/', '\\]', '\\{')
const inClass = fc.constantFrom(
  ...'abz09AZ_-,:= ![^$.(*'.split(''),
  '\\d',
  '\\w',
  '\\-',
  '\\]',
  '\\\\',
  'a-z',
  '0-9',
  ' -~',
  '+--',
  '--/',
  '\\d-',
  '-',
  '^',
)
const group = fc
  .tuple(fc.constantFrom('', '', '^'), fc.array(inClass, { maxLength: 4 }))
  .map(([negated, parts]) => `[${negated}${parts.join('')}]`)
const quantifier = fc.constantFrom('', '', '', '{2}', '{0}', '{1,3}', '{2,}', '*', '+', '?', '{0,0}', '{1,1}', '+?')
const body = fc.array(
  fc.tuple(fc.oneof(single, group), quantifier).map(parts => parts.join('')),
  { maxLength: 4 },
)
const pattern = fc.oneof(
  { weight: 8, arbitrary: body.map(parts => `^${parts.join('')}$`) },
  fc.array(fc.constantFrom(...ALPHABET, '\\'), { maxLength: 8 }).map(parts => `^${parts.join('')}$`),
)

test('property: a table and the RegExp agree on every plain text', () => {
  let tables = 0
  let taken = 0
  fc.assert(
    fc.property(
      pattern,
      fc.array(fc.array(fc.constantFrom(...ALPHABET, 'a', '0', 'a', '0'), { maxLength: 6 }), {
        size: '=',
        minLength: 8,
      }),
      (source, texts) => {
        if (!isPattern(source) || bytePattern(source) === null) return
        tables++
        for (const text of texts) if (agrees(source, text.join(''))) taken++
      },
    ),
    { numRuns: 6000 },
  )
  assert.ok(tables > 1000 && taken > 100, `${tables} tables, ${taken} texts taken`)
})

test('property: the RegExp takes what is made to fit the table, and the table refuses it with a byte changed as the RegExp does', () => {
  let taken = 0
  fc.assert(
    fc.property(pattern, fc.infiniteStream(fc.nat(0xffff)), fc.nat(4), (source, stream, extra) => {
      const table = isPattern(source) ? bytePattern(source) : null
      if (table === null) return
      const pick = (bit: number): string => {
        const fit = [...table.classes.keys()].filter(byte => (table.classes[byte]! & bit) !== 0)
        return fit.length === 0 ? '' : String.fromCharCode(fit[stream.next().value! % fit.length]!)
      }
      const chars = [...table.places].map(pick)
      if (table.run !== 0) chars.push(...Array.from({ length: table.least + extra }, () => pick(table.run)))
      if (agrees(source, chars.join(''))) taken++
      if (chars.length > 0) agrees(source, chars.with(stream.next().value! % chars.length, ALPHABET[extra]!).join(''))
      agrees(source, [...chars, ALPHABET[extra]].join(''))
      agrees(source, chars.slice(1).join(''))
    }),
    { numRuns: 6000 },
  )
  assert.ok(taken > 1000, `${taken} taken`)
})

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== ''
  } catch {
    return false
  }
}

/** Whether the table takes a plain text, which must be what the RegExp says. */
function agrees(source: string, text: string): boolean {
  const taken = endOf(source, Buffer.from(`${text}"`, 'latin1')) === text.length
  assert.equal(taken, new RegExp(source, 'u').test(text), `${source} and ${JSON.stringify(text)}`)
  return taken
}

function endOf(source: string, bytes: Buffer): number {
  const compiledPattern = bytePattern(source)
  assert.ok(compiledPattern !== null, `${source} has a table`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Math.max(-1, patternEnd(compiledPattern, view, 0, bytes.length))
}
