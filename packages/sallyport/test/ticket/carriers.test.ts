import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { sentenceOf } from '../../src/policy/denials.ts'
import { isTicketProtocol, ticketFrom, ticketFromFirstMessage, TOKEN_CHARS } from '../../src/request/carriers.ts'
import { handshake } from '../session/handshakes.ts'

const POLICY = { carrier: 'subprotocol', parameter: 'ticket', csrf: null } as const
const QUERY = { ...POLICY, carrier: 'query' } as const
const CSRF = { ...POLICY, csrf: () => true } as const
const offering = (...lines: string[]) => handshake('/ws', { 'Sec-WebSocket-Protocol': lines })

describe('carriers', () => {
  const rows: readonly [string, Parameters<typeof ticketFrom>[0], Parameters<typeof ticketFrom>[1], string][] = [
    ['subprotocol beside sallyport.v1', offering('sallyport.v1, sallyport.ticket.abc'), POLICY, 'abc'],
    ['subprotocol before the app’s own', offering('sallyport.ticket.abc,graphql-transport-ws'), POLICY, 'abc'],
    ['subprotocol alone', offering('sallyport.ticket.abc'), POLICY, 'abc'],
    ['subprotocol on a second line', offering('chat', 'sallyport.ticket.abc'), POLICY, 'abc'],
    ['no subprotocol', handshake(), POLICY, 'SALLY_TICKET_MISSING'],
    ['other subprotocols', offering('sallyport.v1'), POLICY, 'SALLY_TICKET_MISSING'],
    ['a prefix of the prefix', offering('sallyport.ticket'), POLICY, 'SALLY_TICKET_MISSING'],
    ['empty ticket', offering('sallyport.ticket.'), POLICY, 'SALLY_TICKET_INVALID'],
    ['two tickets in a line', offering('sallyport.ticket.a, sallyport.ticket.b'), POLICY, 'SALLY_TICKET_INVALID'],
    ['two tickets on two lines', offering('sallyport.ticket.a', 'sallyport.ticket.b'), POLICY, 'SALLY_TICKET_INVALID'],
    ['the same ticket twice', offering('sallyport.ticket.a, sallyport.ticket.a'), POLICY, 'SALLY_TICKET_INVALID'],
    [
      'two tickets, one in another case',
      offering('sallyport.ticket.a, Sallyport.Ticket.b'),
      POLICY,
      'SALLY_TICKET_INVALID',
    ],
    ['prefix in another case', offering('SALLYPORT.ticket.abc'), POLICY, 'SALLY_TICKET_INVALID'],
    ['of ours, percent-encoded: not decoded', offering('sallyport.ticket.%41'), POLICY, '%41'],
    ['in the query where subprotocol is meant', handshake('/ws?ticket=abc'), POLICY, 'SALLY_TICKET_MISSING'],
    ['in a cookie', handshake('/ws', { cookie: 'ticket=abc' }), POLICY, 'SALLY_TICKET_MISSING'],
    ['query', handshake('/ws?room=1&ticket=abc'), QUERY, 'abc'],
    ['query by another name', handshake('/ws?t=abc'), { ...QUERY, parameter: 't' }, 'abc'],
    ['query twice', handshake('/ws?ticket=abc&ticket=abc'), QUERY, 'SALLY_TICKET_INVALID'],
    ['query, empty', handshake('/ws?ticket='), QUERY, 'SALLY_TICKET_INVALID'],
    ['query in another case', handshake('/ws?Ticket=abc'), QUERY, 'SALLY_TICKET_MISSING'],
    ['subprotocol where query is meant', offering('sallyport.ticket.abc'), QUERY, 'SALLY_TICKET_MISSING'],
    [
      'first message',
      offering('sallyport.ticket.abc'),
      { ...POLICY, carrier: 'first-message' },
      'SALLY_TICKET_MISSING',
    ],
    ['an app’s token, percent-encoded', offering('sallyport.ticket.a%2Fb%3D%3D'), CSRF, 'a/b=='],
    ['an app’s token, broken encoding', offering('sallyport.ticket.a%2'), CSRF, 'SALLY_TICKET_INVALID'],
    ['an app’s token, no UTF-8', offering('sallyport.ticket.%ff'), CSRF, 'SALLY_TICKET_INVALID'],
    [
      'one below the bound',
      offering(`sallyport.ticket.${'a'.repeat(TOKEN_CHARS - 1)}`),
      POLICY,
      'a'.repeat(TOKEN_CHARS - 1),
    ],
    ['at the bound', offering(`sallyport.ticket.${'a'.repeat(TOKEN_CHARS)}`), POLICY, 'a'.repeat(TOKEN_CHARS)],
    [
      'one above the bound',
      offering(`sallyport.ticket.${'a'.repeat(TOKEN_CHARS + 1)}`),
      POLICY,
      'SALLY_TICKET_INVALID',
    ],
  ]
  for (const [name, request, policy, expected] of rows) {
    it(name, () => {
      const found = ticketFrom(request, policy)
      assert.equal(typeof found === 'string' ? found : found.code, expected)
      if (typeof found !== 'string') assert.doesNotMatch(sentenceOf(found), /abc/)
    })
  }

  it('knows a carrier in any case, and nothing else', () => {
    for (const name of ['sallyport.ticket.x', 'sallyport.ticket.', ' SALLYPORT.TICKET.x'])
      assert.ok(isTicketProtocol(name))
    for (const name of ['sallyport.v1', 'sallyport.ticket', 'x.sallyport.ticket.y', ''])
      assert.ok(!isTicketProtocol(name))
  })

  const messages: readonly [string, string, string | null][] = [
    ['as documented', '{"type":"auth","csrfToken":"abc"}', 'abc'],
    ['in the other order, with white space', ' { "csrfToken" : "abc" ,\n"type": "auth" } ', 'abc'],
    ['with escapes in the token', String.raw`{"type":"auth","csrfToken":"a\"\\\u0041"}`, 'a"\\A'],
    ['another type', '{"type":"chat","csrfToken":"abc"}', null],
    ['no type', '{"csrfToken":"abc"}', null],
    ['no token', '{"type":"auth"}', null],
    ['empty token', '{"type":"auth","csrfToken":""}', null],
    ['a number as token', '{"type":"auth","csrfToken":7}', null],
    ['null as token', '{"type":"auth","csrfToken":null}', null],
    ['a further key', '{"type":"auth","csrfToken":"abc","room":1}', null],
    ['the token twice', '{"type":"auth","csrfToken":"abc","csrfToken":"xyz"}', null],
    ['the type twice', '{"type":"auth","type":"chat","csrfToken":"abc"}', null],
    ['the key in escapes', String.raw`{"type":"auth","csrfToke\u006e":"abc"}`, null],
    ['__proto__', '{"type":"auth","__proto__":{"csrfToken":"abc"}}', null],
    ['in a list', '[{"type":"auth","csrfToken":"abc"}]', null],
    ['the key in another case', '{"type":"auth","csrftoken":"abc"}', null],
    ['a trailing comma', '{"type":"auth","csrfToken":"abc",}', null],
    ['a comment', '{"type":"auth","csrfToken":"abc"}//', null],
    ['white space that JSON has not', '{"type":"auth",\u00a0"csrfToken":"abc"}', null],
    ['a raw line break in the token', '{"type":"auth","csrfToken":"a\nb"}', null],
    ['a bad escape', String.raw`{"type":"auth","csrfToken":"\x"}`, null],
    ['a byte order mark', '\ufeff{"type":"auth","csrfToken":"abc"}', null],
    ['empty', '', null],
    ['not JSON', 'auth abc', null],
    ['null', 'null', null],
    ['one below the bound', JSON.stringify({ type: 'auth', csrfToken: 'a'.repeat(4095) }), 'a'.repeat(4095)],
    ['at the bound', JSON.stringify({ type: 'auth', csrfToken: 'a'.repeat(4096) }), 'a'.repeat(4096)],
    ['one above the bound', JSON.stringify({ type: 'auth', csrfToken: 'a'.repeat(4097) }), null],
    ['a megabyte of spaces', `{"type":"auth",${' '.repeat(1 << 20)}"csrfToken":"abc"}`, null],
  ]
  for (const [name, text, expected] of messages) {
    it(`first message ${name}: ${expected === null ? 'refused' : 'read'}`, () => {
      assert.equal(ticketFromFirstMessage(text), expected)
    })
  }
  it('first message: any token that JSON can write is read back, and no other text throws', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary', maxLength: 64 }), token => {
        assert.equal(ticketFromFirstMessage(JSON.stringify({ type: 'auth', csrfToken: token })), token)
        assert.equal(ticketFromFirstMessage(token), null)
      }),
    )
  })
})
