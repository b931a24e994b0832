import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { fetchMetadata } from '../../src/controls/handshake/fetch-metadata.ts'
import type { HandshakeControl } from '../../src/controls/handshake/handshake-control.ts'
import type { HandshakePolicy } from '../../src/controls/handshake/doors.ts'
import { host } from '../../src/controls/handshake/host.ts'
import { origin } from '../../src/controls/handshake/origin.ts'
import { request } from '../../src/controls/handshake/request.ts'
import { subprotocol } from '../../src/controls/handshake/subprotocol.ts'
import type { DenialCode } from '../../src/policy/denials.ts'
import { DENIALS } from '../../src/policy/denials.ts'
import { attemptOf, compileControl } from '../handshake/door-fixtures.ts'

const SOURCES = join(import.meta.dirname, '..', '..', 'src')
const LONGEST = 200

interface Made {
  readonly where: string
  readonly code: DenialCode
  /** Null where the facts are no object literal. */
  readonly facts: ReadonlyMap<string, string> | null
  readonly isText: boolean
}

/** Every `deny('CODE', …)` of a source. */
function denialsIn(file: string): readonly Made[] {
  const text = readFileSync(join(SOURCES, file), 'utf8')
  return Array.from(text.matchAll(/\bdeny\w*\(\s*'(SALLY_\w+)'\s*(?:,\s*|\))/g), found => {
    const rest = text.slice(found.index + found[0].length)
    const facts = found[0].endsWith(')') ? '' : rest.startsWith('{') ? rest.slice(1, endOf(rest)) : null
    return {
      where: `${file}: ${found[1]}`,
      code: found[1] as DenialCode,
      facts: facts === null ? null : entriesOf(facts),
      isText: /^['"`]/.test(rest) && !found[0].endsWith(')'),
    }
  })
}

/** Where the brace is closed that the text begins with. */
function endOf(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    if ('{(['.includes(text[at]!)) depth++
    else if ('})]'.includes(text[at]!) && --depth === 0) return at
  }
  return text.length
}

/** `reason: 'open', cap` is a map of `reason` and `cap`. */
function entriesOf(literal: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  let depth = 0
  let entry = ''
  for (const character of `${literal},`) {
    if ('{(['.includes(character)) depth++
    else if ('})]'.includes(character)) depth--
    if (character !== ',' || depth > 0) {
      entry += character
      continue
    }
    const [, name, value = ''] = /^\s*(\w+)\s*(?::\s*(.*?))?\s*$/s.exec(entry) ?? []
    if (name !== undefined) entries.set(name, value)
    entry = ''
  }
  return entries
}

const namesIn = (sentence: string): readonly string[] =>
  Array.from(sentence.matchAll(/\{(\w+)\}/g), ([, name]) => name!).toSorted()

/** What is wrong with the facts of a denial; null where nothing is. */
function faultOf({ code, facts, isText }: Made): string | null {
  const { tells } = DENIALS[code]
  if (isText) return 'a sentence stands where facts belong'
  if (facts === null) return null
  const names = [...facts.keys()].filter(name => name !== 'reason').toSorted()
  if (typeof tells === 'string') {
    return names.join() === namesIn(tells).join() ? null : `facts ${names.join()} for: ${tells}`
  }
  const [, reason] = /^'([\w-]+)'$/.exec(facts.get('reason') ?? '') ?? []
  if (!facts.has('reason')) return 'it has several sentences, and no reason chooses one'
  // A reason that is decided when it runs: the types hold it against the sentences.
  if (reason === undefined) return null
  const sentence = (tells as { readonly [reason: string]: string })[reason]
  if (sentence === undefined) return `no sentence for the reason ${reason}`
  return names.join() === namesIn(sentence).join() ? null : `facts ${names.join()} for: ${sentence}`
}

const made = globSync('**/*.ts', { cwd: SOURCES }).flatMap(denialsIn)

test('every denial of the sources gives the facts that its sentence names', () => {
  assert.ok(made.length > 100)
  assert.deepEqual(
    made.flatMap(one => {
      const fault = faultOf(one)
      return fault === null ? [] : [`${one.where}: ${fault}`]
    }),
    [],
  )
})

test('a wrong fact, an unknown reason and a sentence are found', () => {
  const denial = (code: DenialCode, facts: string): Made => ({
    where: '',
    code,
    facts: entriesOf(facts),
    isText: false,
  })
  assert.match(faultOf(denial('SALLY_CONNECTIONS_FULL', 'most: 1'))!, /facts most for/)
  assert.match(faultOf(denial('SALLY_CONNECTIONS_IP', "reason: 'nowhere', cap"))!, /no sentence for the reason nowhere/)
  assert.match(faultOf({ ...denial('SALLY_CONNECTIONS_IP', ''), isText: true })!, /a sentence stands/)
})

test('every code has a sentence', () => {
  const sentences = Object.values(DENIALS).map(({ tells }) =>
    typeof tells === 'string' ? [tells] : Object.values(tells),
  )
  for (const told of sentences) assert.ok(told.length > 0 && told.every(text => text !== ''))
})

const hostile = fc.oneof(fc.string({ maxLength: 2000 }), fc.constantFrom('x'.repeat(5000), '"'.repeat(5000)))
for (const control of [
  request,
  host,
  origin,
  fetchMetadata,
  subprotocol,
] satisfies readonly HandshakeControl<HandshakePolicy>[]) {
  test(`${control.id}: no fact of a hostile request is longer than ${LONGEST} characters`, () => {
    const check = compileControl(control)
    fc.assert(
      fc.property(hostile, hostile, hostile, (method, header, other) => {
        const headers = {
          Host: header,
          Origin: other,
          'Sec-WebSocket-Protocol': header,
          'Sec-Fetch-Mode': 'websocket',
          'Sec-Fetch-Site': other,
        }
        const verdict = check(attemptOf({ method, headers }, { origin: other }))
        assert.ok(!(verdict instanceof Promise))
        if (verdict.pass) return
        for (const fact of Object.values(verdict.facts)) assert.ok(String(fact).length <= LONGEST, String(fact))
      }),
    )
  })
}
