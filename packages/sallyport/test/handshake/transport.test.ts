import assert from 'node:assert/strict'
import { test } from 'node:test'
import { transport } from '../../src/controls/handshake/transport.ts'
import { attemptOf, codeOf, compileControl, policyOf } from './door-fixtures.ts'

const rows: readonly [name: string, secure: boolean, loopback: boolean, code: string][] = [
  ['TLS from anywhere passes', true, false, 'pass'],
  ['plain from this machine passes', false, true, 'pass'],
  ['TLS from this machine passes', true, true, 'pass'],
  ['plain from another machine is refused', false, false, 'SALLY_TRANSPORT_INSECURE'],
]
for (const [name, secure, loopback, code] of rows) {
  test(name, async () => {
    assert.equal(codeOf(await compileControl(transport)(attemptOf({ secure, loopback }))), code)
  })
}

test('what a client writes about itself is no TLS: the request alone decides', async () => {
  const headers = {
    'X-Forwarded-Proto': 'https',
    Forwarded: 'proto=https',
    'X-Forwarded-Ssl': 'on',
    'Front-End-Https': 'on',
  }
  assert.equal(
    codeOf(await compileControl(transport)(attemptOf({ secure: false, headers }))),
    'SALLY_TRANSPORT_INSECURE',
  )
})

test('it is off only by dangerously… keys, and the policy says so', () => {
  for (const section of [{ dangerouslyOff: true }, { dangerouslyAllowPlaintext: true }]) {
    const policy = policyOf({ transport: section })
    assert.throws(() => compileControl(transport, policy), /is off/)
    assert.deepEqual(
      policy.weakened.map(({ control }) => control),
      ['handshake/transport'],
    )
  }
})
