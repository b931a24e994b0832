import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ORIGIN } from '../support/gateway-world.ts'
import { createApp, serving } from '../support/plain-app.ts'

const PLAIN = 'GET /page HTTP/1.1\r\nHost: app.localhost\r\n\r\n'
const handshake = (origin = ORIGIN, path = '/ws'): string =>
  `GET ${path} HTTP/1.1\r\nHost: app.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: ${origin}\r\nCookie: sid=s1\r\n\r\n`

/** Sends a request that the backend answers half, then `behind`; all that the client gets until the end, and what was opened. */
async function halfAnswered(
  behind: string,
  begin = true,
): Promise<{ readonly text: string; readonly upgrades: number }> {
  const asked = Promise.withResolvers<ServerResponse>()
  let upgrades = 0
  const app = await createApp((_request, response) => asked.resolve(response))
  app.server.on('upgrade', (_request, socket) => {
    upgrades++
    socket.destroy()
  })
  const world = await serving(app.target)
  const socket = connect(world.port, '127.0.0.1')
  socket.on('error', () => undefined)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const closed = once(socket, 'close')
  socket.write(PLAIN)
  const response = await asked.promise
  if (begin) {
    response.writeHead(200, { 'Content-Length': 100 })
    response.write('half of the answer')
    while (!text.includes('half of the answer')) await once(socket, 'data')
  }
  socket.write(behind)
  await closed
  response.end('the other half')
  await world.close()
  await app.close()
  return { text, upgrades }
}

const rows: readonly (readonly [name: string, behind: string])[] = [
  ['smuggling: a handshake', handshake()],
  ['a handshake that is refused', handshake('http://evil.example')],
  ['a handshake that no route has', handshake(ORIGIN, '/admin')],
  ['no HTTP', 'no HTTP\r\n\r\n'],
]

for (const [name, behind] of rows) {
  test(`in the middle of a backend's answer nothing is said and nothing opened: ${name}`, async () => {
    const { text, upgrades } = await halfAnswered(behind)
    assert.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\nhalf of the answer$/)
    assert.equal(upgrades, 0)
  })
}

test('before a backend answers a handshake behind the request is refused, once', async () => {
  const { text, upgrades } = await halfAnswered(handshake(), false)
  assert.match(text, /^HTTP\/1\.1 400 [^]*\{"code":"SALLY_REQUEST_MALFORMED"\}$/)
  assert.equal(text.split('HTTP/1.1').length, 2)
  assert.equal(upgrades, 0)
})
