import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { createApp, serving } from '../support/plain-app.ts'

/**
 * Since Node 22.21 an upgrade that nobody wants is answered as the plain request that it is besides. Before it Node reads no
 * HTTP behind one: it is refused then, whatever is asked for, and nothing of it reaches the backend. That is no hole, but
 * a client that offers h2c over plain HTTP (`curl --http2`, Java's HttpClient) gets nothing there.
 */
const CAN_DECLINE = 'shouldUpgradeCallback' in createServer()

const asking = (first: string, upgrade: string, body = ''): string =>
  [
    `${first} HTTP/1.1`,
    'Host: app.localhost',
    `Upgrade: ${upgrade}`,
    'Connection: Upgrade, HTTP2-Settings, close',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
    '',
    body,
  ].join('\r\n')

describe('an upgrade to what the gateway does not speak', () => {
  const rows: readonly [name: string, sent: string, reached: string | null, refused: number][] = [
    ['h2c, for a page', asking('GET /page', 'h2c'), 'GET /page ', 404],
    ['h2c, with a body', asking('POST /page', 'h2c', 'body'), 'POST /page body', 404],
    ['h2c, on the path of a WebSocket', asking('GET /ws', 'h2c'), 'GET /ws ', 400],
    ['TLS within HTTP', asking('OPTIONS /page', 'TLS/1.0'), 'OPTIONS /page ', 404],
    ['smuggling: h2c or a WebSocket', asking('GET /ws', 'h2c, websocket'), null, 400],
    ['smuggling: a WebSocket or h2c, for a page', asking('GET /page', 'websocket, h2c'), null, 404],
  ]
  for (const [name, sent, reached, refused] of rows) {
    const passes = CAN_DECLINE && reached !== null
    test(`${name}: ${passes ? 'a plain request' : refused}`, async () => {
      const app = await createApp(async (request, response) => {
        let body = ''
        for await (const chunk of request) body += String(chunk)
        response.end(`${request.method} ${request.url} ${body}`)
      })
      const world = await serving(app.target)
      const socket = connect(world.port, '127.0.0.1')
      let got = ''
      socket.on('data', chunk => (got += chunk.toString()))
      socket.write(sent)
      await once(socket, 'close')
      assert.match(got, new RegExp(`^HTTP/1\\.1 ${passes ? 200 : refused} `))
      assert.equal(app.requests.length, passes ? 1 : 0)
      for (const { headers } of app.requests) {
        assert.deepEqual([headers.upgrade, headers['http2-settings']], [undefined, undefined])
        assert.ok(got.includes(reached!))
      }
      await world.close()
      await app.close()
    })
  }
})
