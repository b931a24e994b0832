import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subprotocol } from '../../src/controls/handshake/subprotocol.ts'
import { attemptOf, codeOf, compileControl, policyOf } from './door-fixtures.ts'

const policy = policyOf({ subprotocol: { serve: ['chat.v2', 'chat.v1'] } })
const REFUSED = 'SALLY_SUBPROTOCOL_NOT_SERVED'
const many = (count: number): string => Array.from({ length: count }, (_, index) => `p${index}`).join(',')

const rows: readonly [name: string, offered: string | readonly string[] | null, code: string, answer: string | null][] =
  [
    ['none is offered', null, 'pass', null],
    ['the first that is served is answered', 'x, chat.v1, chat.v2', 'pass', 'chat.v1'],
    ['two lines are one list', ['x', 'chat.v2'], 'pass', 'chat.v2'],
    ['beside a ticket', 'sallyport.ticket.T0ken, chat.v1', 'pass', 'chat.v1'],
    ['a ticket alone is never answered', 'sallyport.ticket.T0ken', 'pass', null],
    ['a ticket in capitals is never answered', 'SALLYPORT.Ticket.T0ken', 'pass', null],
    ['sixteen names', `${many(15)},chat.v1`, 'pass', 'chat.v1'],
    ['seventeen names', `${many(16)},chat.v1`, REFUSED, null],
    ['none of them is served', 'soap', REFUSED, null],
    ['letter case is told apart', 'CHAT.V1', REFUSED, null],
    ['beside a ticket none is served', 'sallyport.ticket.T0ken, soap', REFUSED, null],
    ['empty is no offer', '', 'pass', null],
    ['an empty element', 'chat.v1,,x', REFUSED, null],
    ['a name twice', 'chat.v1, chat.v1', REFUSED, null],
    ['a name twice over two lines', ['chat.v1', 'chat.v1'], REFUSED, null],
    ['a separator in a name', 'chat.v1, a b', REFUSED, null],
    ['quotes', '"chat.v1"', REFUSED, null],
    ['response splitting', 'chat.v1\r\nSet-Cookie: a=b', REFUSED, null],
    ['no ASCII', 'chat.v1, chät', REFUSED, null],
    ['__proto__ is a name like any other', '__proto__', REFUSED, null],
  ]
for (const [name, offered, code, answer] of rows) {
  test(`${name}: ${code}`, async () => {
    const attempt = attemptOf({ headers: { 'Sec-WebSocket-Protocol': offered } })
    assert.equal(codeOf(await compileControl(subprotocol, policy)(attempt)), code)
    assert.equal(attempt.subprotocol, answer)
  })
}

test('required: who offers none, or a ticket alone, is refused', async () => {
  const check = compileControl(subprotocol, policyOf({ subprotocol: { serve: ['chat.v1'], required: true } }))
  assert.equal(codeOf(await check(attemptOf())), REFUSED)
  assert.equal(codeOf(await check(attemptOf({ headers: { 'Sec-WebSocket-Protocol': 'sallyport.ticket.T' } }))), REFUSED)
  assert.equal(codeOf(await check(attemptOf({ headers: { 'Sec-WebSocket-Protocol': 'chat.v1' } }))), 'pass')
})

test('no detail holds what was offered: a ticket may be in it', async () => {
  const verdict = await compileControl(
    subprotocol,
    policy,
  )(attemptOf({ headers: { 'Sec-WebSocket-Protocol': 'sallyport.ticket.S3cret, soap' } }))
  assert.doesNotMatch(JSON.stringify(verdict), /S3cret/)
})

test('it is off only by dangerouslyOff, and then nothing is answered', () => {
  assert.throws(() => compileControl(subprotocol, policyOf({ subprotocol: { dangerouslyOff: true } })), /is off/)
})
