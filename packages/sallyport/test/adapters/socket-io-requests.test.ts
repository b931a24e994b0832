// Every request of a Socket.IO session: the first, and each poll, post and upgrade behind it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { host } from './socket-io-host.ts'

const BASE = '/socket.io/?EIO=4&transport=polling'
const BODY = '42["say",{"text":"by a thief"}]'

/** Ways to write the id of a session so that two parsers could find different ones. */
const SPELLINGS: readonly (readonly [string, (sid: string) => string])[] = [
  ['plain', sid => `${BASE}&sid=${sid}`],
  ['a fragment behind it', sid => `${BASE}&sid=${sid}#`],
  ['a long fragment behind it', sid => `${BASE}&sid=${sid}#&sid=x`],
  ['a fragment before it', sid => `${BASE}#&sid=${sid}`],
  ['percent-encoded value', sid => `${BASE}&sid=%${sid.charCodeAt(0).toString(16)}${sid.slice(1)}`],
  ['percent-encoded name', sid => `${BASE}&%73id=${sid}`],
  ['twice', sid => `${BASE}&sid=x&sid=${sid}`],
  ['twice, an empty one first', sid => `${BASE}&sid=&sid=${sid}`],
  ['twice, an empty one last', sid => `${BASE}&sid=${sid}&sid=`],
  ['a second question mark', sid => `${BASE}&x=?&sid=${sid}`],
  ['another path below', sid => `/socket.io/x${BASE.slice(11)}&sid=${sid}`],
  ['a dot segment', sid => `/socket.io/./${BASE.slice(11)}&sid=${sid}`],
]

test('attack: whatever way the sid is written, no handler runs without the Origin and the credential of its session', async t => {
  const server = await host(t)
  const heard: unknown[] = []
  server.io.on('connection', socket => void socket.on('say', message => heard.push(message)))
  const ann = await server.poller()
  for (const [name, spell] of SPELLINGS) {
    for (const [credential, lines] of [
      ['nothing', {}],
      ['the cookie of another user', { Origin: server.origin, Cookie: 'user=mallory' }],
      ['a foreign Origin with the cookie', { Origin: 'https://evil.example', Cookie: 'user=ann' }],
    ] as const) {
      const { status } = await server.send('POST', spell(ann.sid), lines, BODY)
      assert.ok(status >= 400 && status < 500, `${name}, ${credential}: ${status}`)
      const polled = await server.send('GET', spell(ann.sid), lines)
      // Where the query names no session it is a first request, which opens a session of the caller's own.
      if (polled.status === 200) assert.doesNotMatch(polled.body, new RegExp(ann.sid), `${name}, ${credential}`)
    }
  }
  assert.deepEqual(heard, [])
  assert.equal((await ann.post('42["say",{"text":"by ann"}]')).status, 200)
  assert.deepEqual(heard, [{ text: 'by ann' }], 'and the session lives on')
})

test('attack: while handshake/request only reports, the session is still the one that Engine.IO finds', async t => {
  const server = await host(t, { report: ['handshake/request'] })
  const heard: unknown[] = []
  server.io.on('connection', socket => void socket.on('say', message => heard.push(message)))
  const ann = await server.poller()
  const mallory = { Origin: server.origin, Cookie: 'user=mallory' }
  const spellings = [`sid=&sid=${ann.sid}`, `sid=x&sid=${ann.sid}`, `sid=${ann.sid}#`, `sid=${ann.sid}#&sid=`]
  for (const spelling of spellings) {
    assert.equal((await server.send('POST', `${BASE}&${spelling}`, mallory, BODY)).status, 401, spelling)
  }
  assert.deepEqual(heard, [])
})

test('attack: an upgrade with a fragment, a repeated sid or a foreign credential opens nothing', async t => {
  const server = await host(t)
  const ann = await server.client('polling')
  const sid = ann.io.engine.id!
  const rows: readonly (readonly [string, Record<string, string>, number])[] = [
    [`&sid=${sid}#`, server.headers, 400],
    [`&sid=${sid}&sid=${sid}`, server.headers, 400],
    [`&sid=${sid}`, { ...server.headers, Cookie: 'user=mallory' }, 401],
    [`&sid=${sid}`, { ...server.headers, Origin: 'https://evil.example' }, 403],
    ['&sid=nobody', server.headers, 401],
  ]
  for (const [query, headers, status] of rows) {
    // `ws` cuts the fragment off itself.
    const lines = {
      ...headers,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    const answer = await server.send('GET', `/socket.io/?EIO=4&transport=websocket${query}`, lines)
    assert.equal(answer.status, status, query)
  }
  assert.equal(ann.connected, true)
})

for (const [name, more] of [
  ['__proto__', '&__proto__=x'],
  ['constructor', '&constructor=x'],
  ['prototype, encoded', '&protot%79pe=x'],
  ['JSONP', '&j=0'],
  ['EIO twice', '&EIO=3'],
  ['transport twice', '&transport=websocket'],
  ['a fragment', '#'],
  ['a fragment that hides a parameter', '#&ticket=x'],
]) {
  test(`attack: ${name} in the query of a first request is refused before any look-up`, async t => {
    const server = await host(t)
    const answer = await server.send('GET', BASE + more!, server.headers)
    assert.equal(answer.status, 400)
    assert.deepEqual(server.denials(), ['SALLY_REQUEST_MALFORMED'])
    assert.equal(server.lookups(), 0)
  })
}

for (const [name, eio, transport] of [
  ['protocol 3', '3', 'polling'],
  ['no protocol', '', 'polling'],
  ['an unknown transport', '4', 'carrier-pigeon'],
  ['an inherited name as transport', '4', 'toString'],
  ['WebSocket by a plain GET', '4', 'websocket'],
  ['WebTransport', '4', 'webtransport'],
]) {
  test(`attack: ${name} opens nothing, and gives its slot back`, async t => {
    const server = await host(t, { handshake: { connections: { perUser: 1 } } })
    for (let at = 0; at < 3; at++) {
      const answer = await server.send('GET', `/socket.io/?EIO=${eio}&transport=${transport}`, server.headers)
      assert.equal(answer.status, 400)
    }
    assert.equal(server.guard.counters().open, 0)
    await server.client('polling')
  })
}

test('attack: a guessed sid is refused with an event, without a look-up, and as a wrong credential is', async t => {
  const server = await host(t)
  const ann = await server.poller()
  const before = server.lookups()
  for (const sid of ['nobody', 'toString', '__proto__', 'a'.repeat(2000)]) {
    const answer = await server.send('GET', `${BASE}&sid=${sid}`, { Origin: server.origin, Cookie: 'user=mallory' })
    assert.equal(answer.status, 401)
    const wrong = await server.send('GET', `${BASE}&sid=${ann.sid}`, { Origin: server.origin })
    assert.equal(answer.body, wrong.body)
  }
  assert.equal(server.lookups() - before, 4, 'the four of the session that there is')
  assert.deepEqual([...new Set(server.denials())], ['SALLY_SESSION_MISSING'])
  assert.equal(server.denials().length, 8)
})

test('honest: the last poll of a session that ended is refused without an event', async t => {
  const server = await host(t)
  const ann = await server.poller()
  await server.guard.revoke({ session: 'session of ann' })
  const from = server.events.length
  assert.equal((await ann.poll()).status, 401)
  assert.deepEqual(
    server.events.slice(from).filter(({ kind }) => kind === 'denial'),
    [],
  )
})

for (const method of ['PUT', 'DELETE', 'HEAD', 'PATCH']) {
  test(`attack: ${method} on a session is refused`, async t => {
    const server = await host(t)
    const ann = await server.poller()
    assert.equal((await server.send(method, `${BASE}&sid=${ann.sid}`, server.headers)).status, 400)
  })
}

test('attack: a body with a content encoding is refused before it is read', async t => {
  const server = await host(t)
  const ann = await server.poller()
  for (const encoding of ['gzip', 'br', 'deflate, gzip']) {
    assert.equal((await ann.post(BODY, { 'Content-Encoding': encoding })).status, 400)
  }
  assert.equal((await ann.post('42["say",{"text":"x"}]', { 'Content-Encoding': 'identity' })).status, 200)
})

test('attack: requests of one session are looked up no faster than its budget, and no more than a few at once', async t => {
  const waiting: (() => void)[] = []
  let asked = 0
  const server = await host(t, {
    handshake: {
      session: request => {
        if (++asked <= 3) return { id: 'ann', user: 'ann' }
        return new Promise(resolve =>
          waiting.push(() => resolve(request.cookie('user') === 'ann' ? { id: 'ann', user: 'ann' } : null)),
        )
      },
    },
  })
  const ann = await server.poller()
  const answers = Array.from({ length: 40 }, () =>
    server.send('GET', `${BASE}&sid=${ann.sid}`, { Origin: server.origin }).then(({ status }) => status),
  )
  while (server.denials().length < 32) await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal(waiting.length, 8)
  for (const answer of waiting) answer()
  assert.deepEqual(
    [...new Set(await Promise.all(answers))].toSorted((a, b) => a - b),
    [401, 429],
  )
})

test('honest: a burst of polls and posts, one after the other, is never refused', async t => {
  const server = await host(t)
  const heard: unknown[] = []
  server.io.on('connection', socket => void socket.on('say', message => heard.push(message)))
  const ann = await server.poller()
  for (let at = 0; at < 130; at++) assert.equal((await ann.post('42["say",{"text":"x"}]')).status, 200)
  assert.equal(heard.length, 130)
})

test('honest: a phone that changes networks goes on polling from its new address', async t => {
  const server = await host(t)
  const ann = await server.poller()
  // Loopback has many addresses: 127.0.0.2 is another network.
  const { request } = await import('node:http')
  for (let at = 0; at < 60; at++) {
    const call = request({
      host: '127.0.0.1',
      port: server.port,
      localAddress: '127.0.0.2',
      method: 'POST',
      path: `${BASE}&sid=${ann.sid}`,
      headers: server.headers,
    })
    call.end('42["say",{"text":"x"}]')
    const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    assert.equal(response.statusCode, 200)
  }
})

test('honest: preflight, upgrade from polling and a reconnect after the network was cut all work', async t => {
  const server = await host(t, { server: { cors: { origin: true, credentials: true } } })
  const preflight = await server.send('OPTIONS', BASE, {
    Origin: server.origin,
    'Access-Control-Request-Method': 'POST',
  })
  assert.equal(preflight.status, 204)
  const ann = await server.client('both', { reconnection: true, reconnectionDelay: 1 })
  if (ann.io.engine.transport.name !== 'websocket') await new Promise(resolve => ann.io.engine.once('upgrade', resolve))
  const again = new Promise<void>(resolve => ann.once('connect', resolve))
  ann.io.engine.close()
  ann.connect()
  await again
  assert.equal(ann.connected, true)
  assert.deepEqual(server.denials(), [])
})

test('attack: a session that ended takes no upgrade', async t => {
  const server = await host(t)
  const ann = await server.client('polling')
  const sid = ann.io.engine.id!
  ann.disconnect()
  while (server.guard.counters().open > 0) await new Promise(resolve => setTimeout(resolve, 5))
  const late = new WebSocket(`ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket&sid=${sid}`, {
    headers: server.headers,
  })
  const [, response] = (await once(late, 'unexpected-response')) as [unknown, { statusCode: number }]
  assert.equal(response.statusCode, 401)
})

for (const [name, sid] of [
  ['a first request', false],
  ['an upgrade of a session', true],
] as const) {
  test(`attack: a peer that resets while its session is looked up ends no process: ${name}`, async t => {
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const ann = { id: 'ann', user: 'ann' }
    let waits = false
    const server = await host(t, {
      handshake: {
        session: () => {
          if (!waits) return ann
          asked.resolve()
          return answer.promise.then(() => ann)
        },
      },
    })
    const own = sid ? `&sid=${(await server.poller()).sid}` : ''
    waits = true
    const open = server.guard.counters().open
    const peer = dial(server.port, '127.0.0.1')
    const lines = {
      ...server.headers,
      Host: `127.0.0.1:${server.port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    const head = Object.entries(lines).map(([key, value]) => `${key}: ${value}\r\n`)
    const taken = once(server.http, 'upgrade') as Promise<[{ socket: Socket }]>
    peer.write(`GET /socket.io/?EIO=4&transport=websocket${own} HTTP/1.1\r\n${head.join('')}\r\n`)
    const [{ socket }] = await taken
    await asked.promise
    const gone = new Promise(resolve => socket.once('close', resolve))
    peer.resetAndDestroy()
    await gone
    answer.resolve()
    waits = false
    await server.client('websocket')
    assert.equal(server.guard.counters().open, open + 1)
  })
}
