import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { WebSocket } from 'ws'
import type { AdminEndpoint } from '../../src/admin/admin-api.ts'
import { serveAdmin } from '../../src/admin/admin-server.ts'
import { createTokenCheck } from '../../src/admin/admin-server.ts'
import { start, type Started } from '../../demo/started.ts'
import { ADMIN_TOKEN, type GatewayProcess, startGateway } from '../runtime/gateway-process.ts'
import { configOf, open } from '../runtime/load.ts'

describe('the token', () => {
  const isToken = createTokenCheck(ADMIN_TOKEN)
  const rows: readonly [name: string, header: string | undefined, right: boolean][] = [
    ['the token', `Bearer ${ADMIN_TOKEN}`, true],
    ['the scheme in other letters', `bearer ${ADMIN_TOKEN}`, true],
    ['none', undefined, false],
    ['empty', '', false],
    ['the scheme alone', 'Bearer ', false],
    ['the token without its scheme', ADMIN_TOKEN, false],
    ['another scheme', `Basic ${ADMIN_TOKEN}`, false],
    ['one character less', `Bearer ${ADMIN_TOKEN.slice(0, -1)}`, false],
    ['one character more', `Bearer ${ADMIN_TOKEN}x`, false],
    ['other letters', `Bearer ${ADMIN_TOKEN.toLowerCase()}`, false],
    ['two tokens', `Bearer ${ADMIN_TOKEN} ${ADMIN_TOKEN}`, false],
    ['a line behind it', `Bearer ${ADMIN_TOKEN}\n`, false],
  ]
  for (const [name, header, right] of rows) test(name, () => assert.equal(isToken(header), right))
})

describe('the operator’s door', () => {
  let backend: Started
  let gateway: GatewayProcess
  before(async () => {
    backend = await start(process.execPath, [join(import.meta.dirname, '../runtime/echo.ts')], {}, line =>
      line.startsWith('{'),
    )
    const { port } = JSON.parse(backend.lines[0]!) as { port: number }
    gateway = await startGateway(
      configOf(port, 0).replaceAll('    message:', '    report: [handshake/origin]\n    message:'),
    )
  })
  after(async () => {
    await gateway.end()
    await backend.end()
  })

  const closed = async (socket: WebSocket): Promise<number> => ((await once(socket, 'close')) as [number])[0]

  test('without the token only healthy and ready answer, and tell nothing else', async () => {
    for (const path of ['/-/connections', '/-/upstreams', '/-/report', '/metrics', '/nothing', '/-/', '/']) {
      assert.equal((await gateway.admin('GET', path, undefined, 'wrong')).status, 401, path)
    }
    for (const path of ['/-/reload', '/-/drain', '/-/revoke'])
      assert.equal((await gateway.admin('POST', path, {}, 'wrong')).status, 401, path)
    assert.equal((await gateway.admin('GET', '/-/healthy', undefined, 'wrong')).text, '{"status":"ok"}\n')
    assert.equal((await gateway.admin('GET', '/-/ready', undefined, 'wrong')).text, '{"status":"ready"}\n')
  })

  test('a client without the token, or by a rebound name, is reported: once a minute, without the query', async () => {
    await gateway.admin('GET', '/-/connections?token=leak', undefined, 'guess')
    const line = await gateway.heard(({ kind, reason }) => kind === 'refused' && reason === 'admin-token')
    assert.deepEqual([line.listener, line.ip], ['admin', '127.0.0.1'])
    assert.doesNotMatch(gateway.lines.join('\n'), /leak|guess/)
    const told = (): number => gateway.lines.filter(one => one.includes('"admin-token"')).length
    const before = told()
    for (let nth = 0; nth < 20; nth++) {
      const { json, status } = await gateway.admin('GET', '/metrics', undefined, 'guess')
      assert.deepEqual([status, json.remedy], [401, 'send Authorization: Bearer and the value of admin.token'])
    }
    await gateway.admin('POST', '/-/revoke', { user: 'nobody' })
    await gateway.heard(({ kind }) => kind === 'revoked')
    assert.equal(told(), before)
  })

  test('a list of another route, or of no number, is an error and no empty list', async () => {
    const other = await gateway.admin('GET', '/-/connections?route=nowhere')
    assert.deepEqual([other.status, other.json.known], [404, ['chat', 'other']])
    for (const limit of ['x', '', '-1', '1e3', '1.5']) {
      assert.equal((await gateway.admin('GET', `/-/connections?limit=${limit}`)).status, 400, limit)
    }
    assert.equal((await gateway.admin('GET', '/-/connections?limit=999999')).status, 200)
  })

  test('what is not there, another method, an invalid body', async () => {
    assert.equal((await gateway.admin('GET', '/-/nothing')).status, 404)
    assert.equal((await gateway.admin('GET', '/__proto__')).status, 404)
    assert.equal((await gateway.admin('GET', '/-/revoke')).status, 405)
    assert.equal((await gateway.admin('POST', '/metrics', {})).status, 405)
    assert.equal((await gateway.admin('POST', '/-/revoke', { a: 'x'.repeat(17_000) })).status, 400)
    for (const body of [
      {},
      { user: 1 },
      { user: '' },
      { all: false },
      { user: 'a', session: 'b' },
      { users: 'a' },
      { expiresAt: 1_900_000_000_000 },
      { all: true, expiresAt: 1_900_000_000_000 },
      { session: 'a', expiresAt: 1_900_000_000 },
      { session: 'a', expiresAt: 'tomorrow' },
      [],
      // It stands for its user: revoked, that user could never come back.
      { session: 'forward-auth-user.aGFzaA' },
    ]) {
      assert.equal((await gateway.admin('POST', '/-/revoke', body)).status, 400, JSON.stringify(body))
    }
    for (const body of [
      { within: 'soon' },
      { within: 30 }, // ms, where seconds are meant: everybody would leave at once
      { within: -1 },
      { within: null },
      { withinMs: 30_000 },
      { within: '30 s', reason: 'deploy' },
      ['30 s'],
    ]) {
      const { status, json } = await gateway.admin('POST', '/-/drain', body)
      assert.equal(status, 400, JSON.stringify(body))
      assert.match(json.remedy, /^write /, JSON.stringify(body))
    }
    assert.equal((await gateway.admin('GET', '/-/ready')).status, 200, 'none of them drains')
  })

  test('what reaches no route is counted, with labels of the configuration alone', async () => {
    for (const path of ['/nothing', '/nothing/else?x=1']) {
      assert.equal((await fetch(`http://127.0.0.1:${gateway.port}${path}`)).status, 404)
    }
    const { text } = await gateway.admin('GET', '/metrics')
    assert.match(text, /^sallyport_refusals_total\{listener="public",reason="no-route"\} 2$/m)
    assert.doesNotMatch(text, /nothing/)
  })

  test('a page on a rebound name reaches loopback, and is answered nothing', async () => {
    const { port } = new URL(`http://127.0.0.1:${(await gateway.heard(({ kind }) => kind === 'startup')).admin}`)
    const asked = request({ host: '127.0.0.1', port, path: '/-/healthy', headers: { Host: 'rebound.example' } })
    asked.end()
    const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    assert.equal(response.statusCode, 421)
    const line = await gateway.heard(({ reason }) => reason === 'admin-host')
    assert.equal(line.host, 'rebound.example')
  })

  test('connections are listed, and end by session, user and id', async () => {
    const [alice, bob, carol, dora] = await Promise.all(
      ['alice', 'bob', 'carol', 'dora'].map(user => open(gateway.port, '/chat', user)),
    )
    const { json } = await gateway.admin('GET', '/-/connections?route=chat&limit=2')
    assert.deepEqual([json.total, json.listed], [4, 2])
    assert.equal((await gateway.admin('GET', '/-/connections?route=other')).json.total, 0)
    const all = (await gateway.admin('GET', '/-/connections')).json.connections
    assert.deepEqual([all[0].route, all[0].ip], ['chat', '127.0.0.1'])
    // Whose they are is nobody's business here: ids are those of the events.
    assert.doesNotMatch(JSON.stringify(all), /alice|bob|carol|dora|sid/)

    const ends = [alice, bob].map(socket => closed(socket!))
    assert.equal((await gateway.admin('POST', '/-/revoke', { user: 'alice' })).status, 200)
    assert.equal(
      (await gateway.admin('POST', '/-/revoke', { session: 'bob', expiresAt: Date.now() + 3_600_000 })).status,
      200,
    )
    assert.deepEqual(await Promise.all(ends), [4401, 4401])
    await assert.rejects(open(gateway.port, '/other', 'bob'), /401/, 'a revoked session is revoked on every route')

    const left = (await gateway.admin('GET', '/-/connections')).json.connections
    assert.equal(left.length, 2)
    const either = Promise.race([closed(carol!), closed(dora!)])
    assert.deepEqual((await gateway.admin('POST', '/-/revoke', { connection: left[0].id })).json, { closed: 1 })
    assert.ok((await either) >= 1000)
    assert.equal((await gateway.admin('POST', '/-/revoke', { connection: 'nobody' })).status, 404)

    const rest = [carol!, dora!].filter(socket => socket.readyState === 1).map(closed)
    assert.equal((await gateway.admin('POST', '/-/revoke', { all: true })).status, 200)
    assert.deepEqual(new Set(await Promise.all(rest)), new Set([4401]))
  })

  test('what report mode let pass is told, with the values to allow', async () => {
    const { WebSocket: Client } = await import('ws')
    const { cookieOf } = await import('../runtime/load.ts')
    const socket = new Client(`ws://127.0.0.1:${gateway.port}/chat`, {
      origin: 'https://new.example',
      headers: { Cookie: cookieOf('erik') },
    })
    await once(socket, 'open')
    socket.terminate()
    const { wouldDeny } = (await gateway.admin('GET', '/-/report')).json
    const row = wouldDeny.find(({ code }: { code: string }) => code === 'SALLY_ORIGIN_NOT_ALLOWED')
    assert.equal(row.route, 'chat')
    assert.equal(row.key, 'handshake.origin.allow')
    assert.deepEqual(row.values, [{ value: 'https://new.example', count: 1 }])
  })

  test('metrics: a client creates no label, and no counter falls at a reload', async () => {
    for (const path of ['/nowhere', '/chat?x=1', '/a/b/c']) await open(gateway.port, path, 'x').catch(() => null)
    const value = (text: string, name: string): number =>
      Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
    const opened = 'sallyport_connections_opened_total{route="other"}'
    const socket = await open(gateway.port, '/other', 'frida')
    const earlier = (await gateway.admin('GET', '/metrics')).text
    assert.ok(value(earlier, opened) >= 1)
    const routes = new Set([...earlier.matchAll(/route="([^"]*)"/g)].map(([, route]) => route))
    assert.deepEqual([...routes].toSorted(), ['chat', 'other'])
    assert.equal(value(earlier, 'sallyport_draining'), 0)
    assert.match(earlier, /^sallyport_upstream_healthy\{upstream="echo",target="[^"]+"\} 1$/m)

    const { port } = JSON.parse(backend.lines[0]!) as { port: number }
    gateway.write(configOf(port, 7))
    assert.ok((await gateway.admin('POST', '/-/reload')).json.changed.includes('other'))
    const later = (await gateway.admin('GET', '/metrics')).text
    assert.ok(value(later, opened) >= value(earlier, opened))
    assert.equal(value(later, 'sallyport_reloads_total{result="taken"}'), 1)
    socket.terminate()
  })

  test('drain: not ready any more, and connections leave', async () => {
    const socket = await open(gateway.port, '/chat', 'gina')
    const end = closed(socket)
    assert.equal((await gateway.admin('POST', '/-/drain', { within: '100 ms' })).status, 202)
    assert.equal(await end, 1012)
    assert.equal((await gateway.admin('GET', '/-/ready')).status, 503)
    assert.equal((await gateway.admin('GET', '/-/healthy')).status, 200)
    assert.equal((await gateway.admin('POST', '/-/reload')).status, 422)
  })
})

describe('a unix socket', () => {
  const refusals = { note: () => undefined, stop: () => undefined }
  const endpoints: { readonly [path: string]: AdminEndpoint } = {
    '/-/healthy': { method: 'GET', open: true, answer: () => ({ status: 200, body: {} }) },
  }

  test('only its user may open it; one of a dead process is taken over, a live one never, a file never', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-admin-'))
    const socket = join(folder, 'admin.sock')
    const config = { address: { socket }, token: ADMIN_TOKEN }
    try {
      const first = await serveAdmin(config, endpoints, refusals)
      assert.equal(statSync(socket).mode & 0o777, 0o600)
      await assert.rejects(serveAdmin(config, endpoints, refusals), /EADDRINUSE|in use/)
      const asked = request({ socketPath: socket, path: '/-/healthy' })
      asked.end()
      const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
      response.resume()
      assert.equal(response.statusCode, 200)
      await first.close()

      const dead = await start(
        process.execPath,
        ['-e', `require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log('up'))`],
        {},
        line => line === 'up',
      )
      dead.process.kill('SIGKILL')
      await once(dead.process, 'exit')
      assert.ok(existsSync(socket))
      const second = await serveAdmin(config, endpoints, refusals)
      await second.close()

      writeFileSync(socket, 'a file')
      await assert.rejects(serveAdmin(config, endpoints, refusals), /EADDRINUSE/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
