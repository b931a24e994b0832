import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlFrames, size } from '../../src/controls/message/size.ts'
import { atOnce, codeOf, connectionOf, partsWith, policyWith, textOf } from './door-fixtures.ts'

const policy = policyWith({
  size: { bytes: 100, fragments: 64, unauthenticatedBytes: 50, controlFrames: { amount: 60, perMs: 60_000, burst: 3 } },
})

const rows: readonly [name: string, bytes: number, code: string][] = [
  ['an empty message', 0, 'PASS'],
  ['one below the bound', 99, 'PASS'],
  ['at the bound', 100, 'PASS'],
  ['one above the bound', 101, 'SALLY_MESSAGE_TOO_BIG'],
  ['64 MiB in a header', 67_108_864, 'SALLY_MESSAGE_TOO_BIG'],
  ['a length that is no number', Number.NaN, 'SALLY_MESSAGE_TOO_BIG'],
]
for (const [name, bytes, code] of rows) {
  test(name, () => {
    const check = size.compile(policy)
    assert.equal(codeOf(atOnce(check!(textOf('x', bytes), connectionOf()))), code)
  })
}

test('a flood of control frames is denied past the burst, and says for how long', () => {
  const { parts, clock } = partsWith()
  const check = controlFrames(policy, parts)
  const connection = connectionOf()
  assert.deepEqual(
    [1, 2, 3].map(() => check(connection).pass),
    [true, true, true],
  )
  const verdict = check(connection)
  assert.equal(codeOf(verdict), 'SALLY_CONTROL_FRAMES')
  assert.equal(!verdict.pass && verdict.retryAfter, 1)
  clock.now += 999
  assert.equal(check(connection).pass, false)
  clock.now += 1
  assert.equal(check(connection).pass, true)
  assert.equal(check(connection).pass, false)
})

test('control frames of one connection do not count for another', () => {
  const check = controlFrames(policy, partsWith().parts)
  const flooding = connectionOf()
  for (let frame = 0; frame < 10; frame++) check(flooding)
  assert.equal(check(connectionOf()).pass, true)
})
