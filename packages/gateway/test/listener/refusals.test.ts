import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { systemRuntime } from 'sallyport/internal'
import { createRefusals } from '../../src/listener/refusals.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, type GatewayWorld, route, UPSTREAM } from '../support/gateway-world.ts'

const upgrade = (path: string, host: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://app.localhost\r\n\r\n`

/** What a gateway answers to bytes, until it closes. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const closed = once(socket, 'close')
  if (bytes !== '') socket.write(bytes)
  await closed
  return text
}

const refusedOf = (world: GatewayWorld): readonly (readonly [Record<string, unknown>, string])[] =>
  world.logged.filter(({ facts }) => facts['kind'] === 'refused').map(({ facts, message }) => [facts, message] as const)

const secretPaths: readonly [name: string, target: string, path: string][] = [
  ['a parameter of the path', '/app;jsessionid=secret/x', '/app'],
  ['an escaped parameter', '/app%3Bjsessionid=secret', '/app'],
  ['an escaped query', '/app%3ftoken=secret', '/app'],
  ['a fragment', '/app#token=secret', '/app'],
  ['who asks, in an absolute form,', 'http://ann:secret@app.localhost/app', '/app'],
]

describe('what no guard sees, the operator does', () => {
  type Row = readonly [name: string, bytes: string, status: RegExp, reason: string, told: object]
  const rows: readonly Row[] = [
    [
      'a handshake to a path that no route has',
      upgrade('/nothing?token=secret', 'app.localhost'),
      /^HTTP\/1\.1 404/,
      'no-route',
      { host: 'app.localhost', path: '/nothing' },
    ],
    [
      'plain HTTP to a path that no route has',
      'GET /admin?token=secret HTTP/1.1\r\nHost: app.localhost\r\n\r\n',
      /^HTTP\/1\.1 404/,
      'no-route',
      { host: 'app.localhost', path: '/admin' },
    ],
    ...secretPaths.map(
      ([name, target, path]): Row => [
        `${name} is not logged`,
        `GET ${target} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`,
        /^HTTP\/1\.1 404/,
        'no-route',
        { host: 'app.localhost', path },
      ],
    ),
    [
      'user and password before the host are not logged',
      'GET /app HTTP/1.1\r\nHost: ann:secret@app.localhost\r\n\r\n',
      /^HTTP\/1\.1 404/,
      'no-route',
      { host: '…@app.localhost', path: '/app' },
    ],
    ['no HTTP at all', '\x16\x03\x01\x02\x00garbage\r\n\r\n', /^HTTP\/1\.1 400/, 'malformed', {}],
    [
      'two lengths of a body: smuggling',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      /^HTTP\/1\.1 400/,
      'malformed',
      {},
    ],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431/,
      'too-large',
      {},
    ],
    [
      'long polling beside the WebSocket',
      'GET /socket.io/?EIO=4&transport=polling&sid=secret HTTP/1.1\r\nHost: pages.localhost\r\n\r\n',
      /^HTTP\/1\.1 403/,
      'plain-http',
      { host: 'pages.localhost', path: '/socket.io/' },
    ],
    [
      'an escape sequence for the terminal of whoever reads the log',
      `GET /${'%1b'.repeat(100)} HTTP/1.1\r\nHost: \x80\x9b31m\r\n\r\n`,
      /^HTTP\/1\.1 404/,
      'no-route',
      { host: '\u{fffd}31m', path: `/${'%1b'.repeat(100)}`.slice(0, 200) },
    ],
  ]
  for (const [name, bytes, status, reason, told] of rows) {
    test(name, async () => {
      const http = { path: '/', upstream: 'backend', timeoutMs: 5000 }
      const pages = route({ id: 'pages', hosts: ['pages.localhost'], http })
      const world = await createWorld(configOf(['ws://127.0.0.1:1'], [route(), pages]))
      assert.match(await answerTo(world.port, bytes), status)
      assert.deepEqual(world.gateway.refusals(), [{ listener: 'main', reason, count: 1 }])
      const [[facts], more] = refusedOf(world) as [readonly [Record<string, unknown>], unknown]
      assert.equal(more, undefined)
      assert.deepEqual(
        { listener: facts['listener'], reason: facts['reason'], count: facts['count'], ip: facts['ip'] },
        { listener: 'main', reason, count: 1, ip: '127.0.0.1' },
      )
      for (const [key, value] of Object.entries(told)) assert.equal(facts[key], value)
      assert.doesNotMatch(JSON.stringify(world.logged), /secret/)
      await world.close()
    })
  }

  test('a PROXY header from one that is not trusted, and an invalid one', async () => {
    for (const [trust, bytes, detail] of [
      ['10.0.0.1', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n', 'a peer that is not trusted'],
      ['127.0.0.1', 'GET / HTTP/1.1\r\n\r\n', 'something else came first'],
    ] as const) {
      const address = { host: '127.0.0.1', port: 0 }
      const listeners = [{ name: 'main', address, tls: null, proxyProtocol: { trust: [trust] } }]
      const world = await createWorld(configOf(['ws://127.0.0.1:1'], [route()], {}, { listeners }))
      assert.equal(await answerTo(world.port, bytes), '')
      assert.deepEqual(world.gateway.refusals(), [{ listener: 'main', reason: 'proxy-header', count: 1 }])
      assert.equal(refusedOf(world)[0]![0]['detail'], detail)
      await world.close()
    }
  })

  test('what a route’s guard refuses is not counted twice; what passes is not counted', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    await world.refusal({ origin: 'https://evil.example' })
    await world.connect()
    assert.deepEqual(world.gateway.refusals(), [])
    await world.close()
    await backend.close()
  })

  test('extensions that are not of the grammar: the route’s guard refuses the handshake, and no backend sees it', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    for (const offer of ['', 'permessage-deflate;', 'permessage-deflate; a="1']) {
      const bytes = upgrade('/ws', '127.0.0.1').replace('Origin', `Sec-WebSocket-Extensions: ${offer}\r\nOrigin`)
      assert.match(await answerTo(world.port, bytes), /^HTTP\/1\.1 400 [^]*SALLY_REQUEST_MALFORMED/, offer)
    }
    assert.deepEqual(backend.requests, [])
    await world.close()
    await backend.close()
  })

  test('a listener that a reload takes away is forgotten; one that stays counts on', async () => {
    const other = { name: 'other', address: { host: '127.0.0.1', port: 0 }, tls: null, proxyProtocol: null }
    const main = { ...other, name: 'main' }
    const at = (listeners: (typeof main)[]): ReturnType<typeof configOf> =>
      configOf([], [route()], { ...UPSTREAM, targets: ['ws://127.0.0.1:1'] }, { listeners })
    const world = await createWorld(at([main, other]))
    for (const port of world.gateway.ports.values()) await answerTo(port, upgrade('/nothing', 'app.localhost'))
    assert.equal(world.gateway.refusals().length, 2)
    await world.gateway.replace(at([main]))
    await answerTo(world.port, upgrade('/nothing', 'app.localhost'))
    assert.deepEqual(world.gateway.refusals(), [{ listener: 'main', reason: 'no-route', count: 2 }])
    await world.close()
  })
})

test('a flood is a line a minute of each kind, with how many; what was not told is told at the end', context => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const lines: string[] = []
  const tell = (facts: object, message: string): void => {
    const { listener, count, path } = facts as { listener: string; count: number; path?: string }
    lines.push(`${listener} ${count} ${path} ${message}`)
  }
  const refusals = createRefusals({ info: tell, warn: tell, error: tell }, systemRuntime, 1000)
  for (let index = 1; index <= 5000; index++) refusals.note('a', 'no-route', { path: `/${index}` })
  refusals.note('b', 'no-route', {})
  assert.deepEqual(lines.splice(0), [
    'a 1 /1 refused: no route has this host and path',
    'b 1 undefined refused: no route has this host and path',
  ])
  context.mock.timers.tick(999)
  assert.deepEqual(lines, [])
  context.mock.timers.tick(1)
  assert.deepEqual(lines.splice(0), ['a 4999 /5000 refused: no route has this host and path'])
  refusals.note('a', 'no-route', { path: '/x' })
  context.mock.timers.tick(1000)
  assert.deepEqual(lines.splice(0), ['a 1 /x refused: no route has this host and path'])
  context.mock.timers.tick(5000)
  refusals.note('a', 'no-route', { path: '/y' })
  refusals.note('a', 'no-route', { path: '/z' })
  assert.equal(lines.splice(0).length, 1)
  refusals.stop()
  assert.deepEqual(lines.splice(0), ['a 1 /z refused: no route has this host and path'])
  context.mock.timers.tick(5000)
  assert.deepEqual(lines, [])
  assert.deepEqual(refusals.list()[0], { listener: 'a', reason: 'no-route', count: 5003 })
})
