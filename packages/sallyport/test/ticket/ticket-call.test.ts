import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard } from 'sallyport'
import { requireCall } from '../../src/guard/ticket-call.ts'

const web = new Request('https://app.example/.sallyport/ticket', { method: 'POST' })
const node = { headers: {}, socket: {} }
const response = { setHeader() {}, end() {} }
const reply = { code() {}, send() {} }

const MISTAKES: readonly (readonly [
  name: string,
  call: readonly [request?: unknown, other?: unknown],
  message: RegExp,
])[] = [
  ['a handler that is called instead of given', [], /the request is nothing; give it itself as the handler: app\.post/],
  ['null', [null], /the request is null/],
  ['options', [{ path: '/ws' }], /the request is an object/],
  ['a request without its response', [node], /the response is nothing; write guard\.ticket\(request, response\)/],
  ['an invalid response', [node, {}], /the response is an object/],
  [
    "Fastify's request without its reply",
    [{ raw: node }],
    /the reply is nothing; write guard\.ticket\(request, reply\)/,
  ],
  ["Fastify's request with Node's response", [{ raw: node }, response], /the reply is an object/],
  [
    "the answer of Bun's requestIP, which calls it address",
    [web, { address: '192.0.2.1' }],
    /without an `ip`; write .*\{ ip \}/,
  ],
  ["Deno's info", [web, { remoteAddr: { hostname: '192.0.2.1' } }], /without an `ip`/],
  ['an address that is no text', [web, { ip: 1 }], /without an `ip`/],
  ['a bare address', [web, '192.0.2.1'], /the peer is a string/],
  ['null as the peer', [web, null], /the peer is null/],
  [
    'a web request alone',
    [web],
    /the address of the peer is missing; write .*\{ ip \}.*dangerouslyWithoutAddress: true/,
  ],
  ['a peer whose address the host does not know', [web, { ip: undefined }], /address of the peer is missing/],
  ['an empty address', [web, { ip: '' }], /address of the peer is missing/],
]

for (const [name, [request, other], message] of MISTAKES) {
  test(`ticket: ${name} is an error`, () => {
    assert.throws(() => requireCall(request, other), { name: 'TypeError', message })
  })
}

for (const [name, request, other] of [
  ['a web request and its peer', web, { ip: '192.0.2.1' }],
  ['a request and its response', node, response],
  ['a request of Fastify and its reply', { raw: node }, reply],
] as const) {
  test(`ticket: ${name} is taken`, () => assert.doesNotThrow(() => requireCall(request, other)))
}

for (const [name, other] of [
  ['a web request alone', undefined],
  ['a peer whose address the host does not know', { ip: undefined }],
] as const) {
  test(`ticket: ${name} is taken where the policy says that there is no address`, () => {
    assert.doesNotThrow(() => requireCall(web, other, true))
    assert.throws(() => requireCall(web, { address: '192.0.2.1' }, true), TypeError)
  })
}

test('guard.ticket throws at once: a rejection would be told after the server stands', () => {
  const guard = createGuard({
    handshake: { origin: { allow: ['https://app.example'] }, session: () => null },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
  })
  assert.throws(() => Reflect.apply(guard.ticket, undefined, []), { name: 'TypeError', message: /^guard\.ticket: / })
})
