import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/controls/handshake/authorize.ts'
import { attemptOf, codeOf, compileControl, policyOf } from './door-fixtures.ts'

const session = { id: 's', user: 'ann' }
// oxlint-disable-next-line unicorn/no-thenable -- query builders answer so
const thenable = (answer: unknown): object => ({ then: (resolve: (value: unknown) => void) => resolve(answer) })

const rows: readonly [name: string, answer: unknown, passes: boolean][] = [
  ['true', true, true],
  ['a promise of true', Promise.resolve(true), true],
  ['a thenable of true', thenable(true), true],
  ['false', false, false],
  ['a promise of false', Promise.resolve(false), false],
  ['a thenable of false', thenable(false), false],
  ['nothing: the rule forgot to answer', undefined, false],
  ['null', null, false],
  ['1', 1, false],
  ['the text "true"', 'true', false],
  ['an object: a row that was found', { id: 7 }, false],
  ['a promise of an object', Promise.resolve({ id: 7 }), false],
]
for (const [name, answer, passes] of rows) {
  test(`${name} ${passes ? 'opens' : 'refuses'}`, async () => {
    const check = compileControl(authorize, policyOf({ authorize: () => answer }))
    assert.equal(codeOf(await check(attemptOf({}, { session }))), passes ? 'pass' : 'SALLY_HANDSHAKE_FORBIDDEN')
  })
}

test('the rule sees the session and the request', async () => {
  const check = compileControl(
    authorize,
    policyOf({
      authorize: (who: { user: string }, request: { path: string }) => who.user === 'ann' && request.path === '/room',
    }),
  )
  assert.equal(codeOf(await check(attemptOf({ target: '/room?x=1' }, { session }))), 'pass')
  assert.equal(codeOf(await check(attemptOf({ target: '/other' }, { session }))), 'SALLY_HANDSHAKE_FORBIDDEN')
})

test('without a session (session in report mode) the rule is not asked and the answer is no', async () => {
  let asked = 0
  const check = compileControl(authorize, policyOf({ authorize: () => ++asked > 0 }))
  assert.equal(codeOf(await check(attemptOf())), 'SALLY_HANDSHAKE_FORBIDDEN')
  assert.equal(asked, 0)
})

test('without a rule there is no control', () => {
  assert.equal(authorize.compile(policyOf()), null)
})
