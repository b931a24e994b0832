import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/controls/message/authorize.ts'
import type { Policy } from '../../src/policy/types.ts'
import { PASS } from '../../src/model/verdict.ts'
import { codeOf, connectionOf, parsed, policyWith } from './door-fixtures.ts'

type Rule = NonNullable<Policy['message']['authorize']>
const compile = (rule: unknown) => authorize.compile(policyWith({ authorize: rule as Rule | null }))

const rows: readonly [name: string, answer: unknown, code: string][] = [
  ['true', true, 'PASS'],
  ['false', false, 'SALLY_MESSAGE_FORBIDDEN'],
  ['undefined: a rule without return', undefined, 'SALLY_MESSAGE_FORBIDDEN'],
  ['null', null, 'SALLY_MESSAGE_FORBIDDEN'],
  ['1: truthy is not true', 1, 'SALLY_MESSAGE_FORBIDDEN'],
  ['"true"', 'true', 'SALLY_MESSAGE_FORBIDDEN'],
  ['an object', {}, 'SALLY_MESSAGE_FORBIDDEN'],
  ['a promise of true', Promise.resolve(true), 'PASS'],
  ['a promise of false', Promise.resolve(false), 'SALLY_MESSAGE_FORBIDDEN'],
  ['a promise of a row', Promise.resolve({ id: 1 }), 'SALLY_MESSAGE_FORBIDDEN'],
]
for (const [name, answer, code] of rows) {
  test(`a rule that answers ${name}`, async () => {
    assert.equal(codeOf(await compile(() => answer)!(parsed({}), connectionOf())), code)
  })
}

test('no rule: nothing is compiled', () => assert.equal(compile(null), null))

test('the rule sees the session, the validated message and the request', () => {
  const connection = connectionOf()
  const subject = parsed({ type: 'chat' })
  const seen: unknown[] = []
  const check = compile((...args: unknown[]) => seen.push(...args) > 0)!
  assert.equal(check(subject, connection), PASS)
  assert.deepEqual(seen, [connection.session, subject.value, connection.request])
})

test('a rule that throws or rejects is not caught here: the runner denies', async () => {
  const thrown = compile(() => {
    throw new Error('x')
  })!
  assert.throws(() => thrown(parsed({}), connectionOf()))
  await assert.rejects(async () => compile(() => Promise.reject(new Error('x')))!(parsed({}), connectionOf()))
})
