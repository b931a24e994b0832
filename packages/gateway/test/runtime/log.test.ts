import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readable } from '../../src/runtime/log.ts'

const line = (fields: object): string =>
  readable(JSON.stringify({ level: 'warn', time: '2026-01-01T12:34:56.000Z', msg: 'denied', ...fields }))

describe('lines for people', () => {
  test('time, level, message, and what is known', () => {
    assert.equal(line({ route: 'chat', count: 3, pid: 1, appid: 'x' }), '12:34:56 WARN  denied  route=chat count=3\n')
  })
  const rows: readonly [name: string, fields: object][] = [
    ['an escape in a field', { origin: 'https://\u001B[31mred' }],
    ['an escape in the message', { msg: 'a\u001B]0;title\u0007b' }],
    ['a line of its own', { origin: 'x\n12:34:56 ERROR  forged' }],
    ['a line in the message', { msg: 'x\n12:34:56 ERROR  forged' }],
    ['a line separator', { origin: 'a\u2028b' }],
    ['text that runs backwards', { origin: 'a\u202Eb' }],
    ['a space that would begin another field', { origin: 'a admin=true' }],
  ]
  for (const [name, fields] of rows) {
    test(`one line that no terminal obeys: ${name}`, () => {
      const told = line(fields)
      assert.equal(told.split('\n').length, 2)
      // oxlint-disable-next-line no-control-regex -- that is what must not be there
      assert.doesNotMatch(told.slice(0, -1), /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202E]/)
      assert.doesNotMatch(told, /=a admin=true/)
    })
  }
})
