import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTROLS } from '../../src/policy/controls.ts'
import { DENIALS } from '../../src/policy/denials.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { policyWith } from './honest-policy.ts'
import { problemsOf } from './problems-of.ts'

/** The ids of the design; a control may be added, none dropped. */
const IDS = `handshake/transport handshake/host handshake/request handshake/origin handshake/fetch-metadata
  handshake/subprotocol handshake/extensions handshake/rate handshake/connections handshake/session handshake/ticket
  handshake/authorize message/size message/rate message/format message/schema message/authorize message/replay message/concurrency
  message/outbound lifetime/authentication lifetime/heartbeat lifetime/idle lifetime/age lifetime/session
  lifetime/backpressure lifetime/shutdown`.split(/\s+/)

test('every control of the design has its row, once', () => {
  assert.deepEqual(
    CONTROLS.map(control => control.id),
    IDS,
  )
})

test('every denial belongs to a control that lists it', () => {
  for (const [code, { control }] of Object.entries(DENIALS)) {
    assert.ok(
      CONTROLS.find(({ id }) => id === control)?.codes.some(listed => listed === code),
      code,
    )
  }
})

for (const control of CONTROLS) {
  test(`${control.id}: its row is whole`, () => {
    assert.equal(control.door, control.id.split('/')[0])
    assert.ok(control.denies.length > 10 && control.default.length > 0)
    assert.ok(control.requirements.length > 0)
    assert.ok(control.keys.length > 0)
    assert.ok(control.probe === 'outside' || control.probe.not.length > 20)
    for (const { key, meaning } of control.keys) {
      assert.ok(key.startsWith(`${control.door}.`), key)
      assert.match(meaning, /\.$/)
    }
  })

  for (const { key } of control.keys) {
    test(`${key} is a key that the policy knows`, () => {
      const [door, name, ...rest] = key.split('.')
      const value = rest.reduceRight<unknown>((inner, part) => ({ [part]: inner }), Symbol('wrong'))
      const found = problemsOf(policyWith({ [`${door}.${name}`]: value }))
      assert.ok(!found.some(problem => problem.message === 'unknown key'), JSON.stringify(found))
      assert.ok(found.length > 0, 'a symbol is accepted')
    })
  }
}

test('a policy has a section for every control', () => {
  const policy = parsePolicy(policyWith()) as unknown as Record<string, Record<string, unknown>>
  for (const { id } of CONTROLS) {
    const [door = '', name = ''] = id.split('/')
    assert.ok(Object.hasOwn(policy[door] ?? {}, name), id)
  }
})
