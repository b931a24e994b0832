import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTarget } from '../../src/guard/revocation-target.ts'

const NOBODY: readonly (readonly [name: string, target: unknown, message: RegExp])[] = [
  ['a bare id', 's1', /write \{ session: id \}/],
  [
    'a session that is undefined: a logout of nobody',
    { session: undefined },
    /session is nothing; give the session's id, a string/,
  ],
  ['a user that is undefined', { user: undefined }, /user is nothing/],
  ['a session that is null', { session: null }, /session is null/],
  ['an empty session id', { session: '' }, /session is an empty string/],
  ['a number', { user: 7 }, /user is a number/],
  ['both at once', { session: 's1', user: 'ann' }, /write \{ session: id \}/],
  ['a session that is still to come', { session: Promise.resolve('s1') }, /session is a Promise/],
  ['a session instead of its id', { session: { id: 's1' } }, /session is an object/],
  ['another key', { sessionId: 's1' }, /unknown key 'sessionId'; write \{ session: id \}/],
  ['a key of nobody', { account: 's1' }, /unknown key 'account'; write \{ session: id \}, \{ user: id \}/],
  [
    'a key that ends like another',
    { session: 's1', expires: 1 },
    /unknown key 'expires'; write \{ session: id, expiresAt: ms \}/,
  ],
  [
    'a session and a key of nobody',
    { session: 's1', reason: 'x' },
    /unknown key 'reason'; write .*, with `expiresAt` beside an id/,
  ],
  ['a target that is still to come', Promise.resolve({ session: 's1' }), /a Promise names nobody/],
  ['an empty object', {}, /write \{ session: id \}/],
  ['ALL in capitals', 'ALL', /write \{ session: id \}/],
  ['nothing', undefined, /write \{ session: id \}/],
  ['null', null, /write \{ session: id \}/],
]

for (const [name, target, message] of NOBODY) {
  test(`revoke: ${name} is an error, and tells no id`, () => {
    assert.throws(
      () => readTarget(target),
      (error: unknown) => error instanceof TypeError && message.test(error.message) && !/ann|s1/.test(error.message),
    )
  })
}

for (const target of [{ session: 's1' }, { user: 'ann' }, 'all']) {
  test(`revoke: ${JSON.stringify(target)} names somebody`, () => assert.doesNotThrow(() => readTarget(target)))
}
