import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isPlaceholder } from '../../src/shape/secret-value.ts'
import { policyWith, SECRET } from './honest-policy.ts'
import { problemsOf } from './problems-of.ts'

const PLACEHOLDERS = [
  'secretsecretsecretsecretsecretsecret',
  'changemechangemechangemechangeme',
  'change-me-change-me-please-change-me',
  'please-change-this-secret-in-production',
  'your-super-secret-session-key-here!!',
  'x'.repeat(40),
  'abababababababababababababababab',
  '0123456789abcdef0123456789abcdef',
  '01234567890123456789012345678901',
  'my_secret_token_1234567890_secret',
]
for (const secret of PLACEHOLDERS) test(`placeholder: ${secret}`, () => assert.ok(isPlaceholder(secret)))

test('random keys in base64, base64url and hex are none', () => {
  for (let round = 0; round < 500; round++) {
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      const secret = randomBytes(32).toString(encoding)
      assert.ok(!isPlaceholder(secret), secret)
    }
  }
})

const bytes = (length: number): string => SECRET.padEnd(4200, 'Zy9-Qw8_Er7').slice(0, length)
for (const [name, secret, problems] of [
  ['31 bytes', bytes(31), 1],
  ['32 bytes', bytes(32), 0],
  ['33 bytes', bytes(33), 0],
  ['31 characters of 33 bytes count as bytes', `${bytes(29)}üß`, 0],
  ['4096 bytes', randomBytes(3072).toString('base64'), 0],
  ['4097 bytes', `${randomBytes(3072).toString('base64')}a`, 1],
  ['16 secrets', Array.from({ length: 16 }, (_, index) => `${SECRET}${index}`), 0],
  ['17 secrets', Array.from({ length: 17 }, (_, index) => `${SECRET}${index}`), 1],
  ['one good and one short', [SECRET, 'short'], 1],
] as const) {
  test(`secret: ${name}`, () => {
    const found = problemsOf(policyWith({ 'handshake.ticket': { secret } }))
    assert.equal(found.length, problems)
    for (const { value } of found) assert.match(value, /^\(hidden, \d+ bytes\)$|^a list of 17$/)
  })
}
