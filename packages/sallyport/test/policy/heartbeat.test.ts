import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGuard } from '../../src/index.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { policyWith } from './honest-policy.ts'
import { problemsOf } from './problems-of.ts'

const PAIR = { text: 'ping', reply: 'pong' }
const ANY = { type: 'object', properties: {} }
const LONG = 'x'.repeat(64)

// biome-ignore format: a table is read by its rows
const ROWS: readonly (readonly [name: string, changes: object, path: string, remedy: RegExp])[] = [
  ['a declared type', { 'message.schema': { ping: ANY }, 'message.heartbeat': [{ text: '{"type":"ping"}', reply: 'x' }] }, 'message.heartbeat[0].text', /another type, or remove the type from message\.schema/],
  ['a declared type in other fields and blanks', { 'message.schema': { ping: ANY }, 'message.heartbeat': [{ text: '{ "x": 1, "type": "ping" }', reply: 'x' }] }, 'message.heartbeat[0].text', /another type/],
  ['a declared type under another discriminator', { 'message.schema': { hb: ANY }, 'message.discriminator': 'event', 'message.heartbeat': [PAIR, { text: '{"event":"hb"}', reply: 'x' }] }, 'message.heartbeat[1].text', /another type/],
  ['a message of the type of the heartbeat of sallyport.v1', { 'message.schema': { 'sallyport.ping': ANY } }, "message.schema['sallyport.ping']", /choose another name/],
  ['the same under another discriminator', { 'message.schema': { 'sallyport.ping': ANY }, 'message.discriminator': 'event' }, "message.schema['sallyport.ping']", /choose another name/],
  ['an app that sends its answer', { 'message.outbound': { 'sallyport.pong': ANY } }, "message.outbound['sallyport.pong']", /choose another name/],
  ['the heartbeat of sallyport.v1 once more', { 'message.heartbeat': [{ text: '{"type":"sallyport.ping"}', reply: 'x' }] }, 'message.heartbeat[0].text', /another type/],
  ['one text twice', { 'message.heartbeat': [PAIR, { text: 'ping', reply: 'x' }] }, 'message.heartbeat[1].text', /once/],
  ['an empty text', { 'message.heartbeat': [{ text: '', reply: 'x' }] }, 'message.heartbeat[0].text', /1 to 64 bytes/],
  ['a text of 65 bytes', { 'message.heartbeat': [{ text: `${LONG}x`, reply: 'x' }] }, 'message.heartbeat[0].text', /1 to 64 bytes/],
  ['33 letters of two bytes', { 'message.heartbeat': [{ text: 'ü'.repeat(33), reply: 'x' }] }, 'message.heartbeat[0].text', /1 to 64 bytes/],
  ['an answer that would multiply what comes', { 'message.heartbeat': [{ text: 'x', reply: `${LONG}x` }] }, 'message.heartbeat[0].reply', /1 to 64 bytes/],
  ['a text that no UTF-8 is', { 'message.heartbeat': [{ text: '\ud800', reply: 'x' }] }, 'message.heartbeat[0].text', /1 to 64 bytes/],
  ['no answer', { 'message.heartbeat': [{ text: 'ping' }] }, 'message.heartbeat[0].reply', /'pong'/],
  ['a text that is bytes', { 'message.heartbeat': [{ text: Buffer.from('ping'), reply: 'x' }] }, 'message.heartbeat[0].text', /'ping'/],
  ['a bare text', { 'message.heartbeat': ['ping'] }, 'message.heartbeat[0]', /\{ text: 'ping', reply: 'pong' \}/],
  ['a list of lists', { 'message.heartbeat': [['ping', 'pong']] }, 'message.heartbeat[0]', /\{ text/],
  ['no list', { 'message.heartbeat': PAIR }, 'message.heartbeat', /\[\{ text/],
  ['the key of another section', { 'message.heartbeat': { interval: '30 seconds' } }, 'message.heartbeat', /\[\{ text/],
  ['a misspelt key', { 'message.heartbeat': [{ text: 'ping', repl: 'pong', reply: 'x' }] }, 'message.heartbeat[0].repl', /`reply`/],
  ['nine of them', { 'message.heartbeat': Array.from({ length: 9 }, (_, nth) => ({ text: `${nth}`, reply: 'x' })) }, 'message.heartbeat', /at most 8/],
]

describe('message.heartbeat', () => {
  for (const [name, changes, path, remedy] of ROWS)
    test(`${name} fails at start`, () => {
      const problems = problemsOf(policyWith({ ...changes }))
      assert.equal(problems.length, 1, JSON.stringify(problems))
      assert.equal(problems[0]?.path, path)
      assert.match(problems[0]?.remedy ?? '', remedy)
    })

  test('is as it was written, at the bounds too', () => {
    const heartbeat = [PAIR, { text: LONG, reply: LONG }, { text: '{"type":"hb"}', reply: '{"type":"ok"}' }]
    const policy = parsePolicy(policyWith({ 'message.heartbeat': heartbeat }))
    assert.deepEqual(policy.message.heartbeat, heartbeat)
    assert.ok(Object.isFrozen(policy.message.heartbeat) && Object.isFrozen(policy.message.heartbeat[0]))
    assert.deepEqual(parsePolicy(policyWith()).message.heartbeat, [])
  })

  test('a type called ping is no collision by itself', () => {
    assert.deepEqual(problemsOf(policyWith({ 'message.schema': { ping: ANY, pong: ANY } })), [])
  })

  test('the report names its texts', () => {
    const policy = policyWith({ 'message.heartbeat': [PAIR] }) as unknown as Parameters<typeof createGuard>[0]
    const row = createGuard(policy)
      .report()
      .controls.find(({ control }) => control === 'message/rate')
    assert.match(JSON.stringify(row), /answers 'ping' itself/)
  })
})
