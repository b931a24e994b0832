import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard } from 'sallyport'
import { WebSocket, WebSocketServer } from 'ws'

const guard = createGuard({
  handshake: { origin: { allow: ['https://app.example'] }, session: () => null },
  message: { schema: { dangerouslyAcceptAnyMessage: true } },
})

const MISTAKES: readonly (readonly [name: string, given: unknown, message: RegExp])[] = [
  [
    'options of a server',
    { port: 8080 },
    /not an object; options go beside it: new WebSocketServer\(\{ port: 8080, \.\.\.guard\.ws\(\)/,
  ],
  ['a server', new WebSocketServer({ noServer: true }), /not an object; options go beside it/],
  ['the class of the server', WebSocketServer, /not a function; give the WebSocket of ws/],
  ['the client of the runtime', globalThis.WebSocket, /not a function; give the WebSocket of ws/],
  ['a function', () => undefined, /not a function/],
  ['a port', 8080, /not a number/],
  ['null', null, /not null/],
]

for (const [name, given, message] of MISTAKES) {
  test(`guard.ws: ${name} is an error`, () => {
    assert.throws(() => guard.ws(given as never), { name: 'TypeError', message })
  })
}

for (const given of [undefined, WebSocket, class Own extends WebSocket {}]) {
  test(`guard.ws: ${given?.name ?? 'nothing'} is taken`, () => {
    assert.equal(typeof guard.ws(given).WebSocket, 'function')
  })
}
