import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, verifyPassword } from '../src/password.ts'

test('password: the right one matches; a wrong one, an empty one and nobody’s do not', async () => {
  const stored = await hashPassword('wonderland')
  assert.match(stored, /^scrypt\$15\$8\$3\$[\w-]{22}\$[\w-]{43}$/)
  const [right, wrong, empty, nobody] = await Promise.all([
    verifyPassword('wonderland', stored),
    verifyPassword('wonderlanD', stored),
    verifyPassword('', stored),
    verifyPassword('wonderland', null),
  ])
  assert.deepEqual([right, wrong, empty, nobody], [true, false, false, false])
})

test('password: one password has two hashes, and its composed and decomposed forms are one', async () => {
  const composed = await hashPassword('caf\u00E9')
  assert.notEqual(composed, await hashPassword('caf\u00E9'))
  assert.equal(await verifyPassword('cafe\u0301', composed), true)
})
