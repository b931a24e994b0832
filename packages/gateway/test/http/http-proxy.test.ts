import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { configOf, createWorld, type GatewayWorld, ORIGIN, route } from '../support/gateway-world.ts'
import { createApp, http, serving } from '../support/plain-app.ts'

/** One request as it is written; the answer's status, headers and body. */
async function ask(
  world: GatewayWorld,
  options: {
    readonly path?: string
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
  },
): Promise<{ readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: string }> {
  const { path = '/', method = 'GET', headers = {}, body } = options
  const asked = request({ host: '127.0.0.1', port: world.port, path, method, headers, agent: false })
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode!, headers: response.headers, body: text }
}

describe('plain HTTP of a route goes through', () => {
  test('method, path, query, body and answer as they are', async () => {
    const app = await createApp(async (incoming, response) => {
      let body = ''
      for await (const chunk of incoming) body += String(chunk)
      response.writeHead(201, {
        'Set-Cookie': ['a=1', 'b=2'],
        'X-App': 'yes',
        Connection: 'keep-alive',
        'Keep-Alive': 'timeout=99',
      })
      response.end(`${incoming.method} ${incoming.url} ${body}`)
    })
    const world = await serving(app.target)
    const { status, headers, body } = await ask(world, { path: '/a/b?c=%20d', method: 'POST', body: 'payload' })
    assert.deepEqual([status, body], [201, 'POST /a/b?c=%20d payload'])
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(headers['x-app'], 'yes')
    assert.notEqual(headers['keep-alive'], 'timeout=99')
    await world.close()
    await app.close()
  })

  test('identity and forwarding headers of a client never pass, the gateway’s own do', async () => {
    const app = await createApp((_incoming, response) => response.end())
    const world = await serving(app.target)
    await ask(world, {
      headers: {
        'X-Sallyport-User': 'mallory',
        X_Sallyport_User: 'mallory',
        'X-Forwarded-For': '6.6.6.6',
        Forwarded: 'for=6.6.6.6',
        'X-Real-IP': '6.6.6.6',
        'X-Keep': 'yes',
        Connection: 'close, X-Drop',
        'X-Drop': 'hop',
        Cookie: 'sid=s1',
        Origin: ORIGIN,
      },
    })
    const { headers } = app.requests[0]!
    const said = JSON.stringify(app.requests[0]!.rawHeaders)
    for (const forged of ['mallory', '6.6.6.6', '"hop"']) assert.equal(said.includes(forged), false, said)
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.deepEqual([headers['x-keep'], headers['cookie'], headers['origin']], ['yes', 'sid=s1', ORIGIN])
    assert.equal(headers['host'], app.target.slice(7))
    await world.close()
    await app.close()
  })

  test('an upgrade to h2c is declined: the request goes through without it', async () => {
    const app = await createApp((incoming, response) => response.end(String(incoming.headers.upgrade)))
    const world = await serving(app.target)
    const { status, body } = await ask(world, {
      headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' },
    })
    assert.deepEqual([status, body], [200, 'undefined'])
    await world.close()
    await app.close()
  })

  test('an answer is streamed, not gathered', async () => {
    const gate = Promise.withResolvers<void>()
    const app = await createApp(async (_incoming, response) => {
      response.write('first')
      await gate.promise
      response.end('second')
    })
    const world = await serving(app.target)
    const asked = request({ host: '127.0.0.1', port: world.port, agent: false })
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    assert.equal(String((await once(response, 'data'))[0]), 'first')
    gate.resolve()
    assert.equal(String((await once(response, 'data'))[0]), 'second')
    await world.close()
    await app.close()
  })

  const brief = (target: string, timeoutMs: number): Promise<GatewayWorld> =>
    createWorld(configOf([target], [route({ http: { ...http, timeoutMs } })]))

  test('http.timeout is the wait for the head: an answer that pauses for longer is not cut', async () => {
    const app = await createApp(async (_incoming, response) => {
      for (const part of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        response.write(part)
        await new Promise(resolve => setTimeout(resolve, 250))
      }
      response.end()
    })
    const world = await brief(app.target, 100)
    assert.deepEqual((await ask(world, {})).body, 'data: 1\n\ndata: 2\n\ndata: 3\n\n')
    await world.close()
    await app.close()
  })

  test('http.timeout begins when the request is sent: a slow upload is not cut', async () => {
    const app = await createApp(async (incoming, response) => {
      let length = 0
      for await (const chunk of incoming) length += (chunk as Buffer).length
      response.end(String(length))
    })
    const world = await brief(app.target, 300)
    const asked = request({ host: '127.0.0.1', port: world.port, method: 'PUT', agent: false })
    const answered = once(asked, 'response')
    for (let part = 0; part < 8; part++) {
      asked.write('x'.repeat(1000))
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    asked.end()
    const [response] = (await answered) as [IncomingMessage]
    assert.equal(String((await once(response, 'data'))[0]), '8000')
    await world.close()
    await app.close()
  })

  for (const [name, begin] of [
    ['no byte of a head', () => undefined],
    [
      'a head byte by byte, without end',
      (socket: Socket) => {
        const timer = setInterval(() => socket.write('H'), 20)
        socket.once('close', () => clearInterval(timer))
      },
    ],
    ['a head that stops', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-')],
  ] as const) {
    test(`${name}: 504, or 502 where it is no HTTP`, async () => {
      const app = await createApp(incoming => void begin(incoming.socket))
      const world = await brief(app.target, 100)
      const { status } = await ask(world, {})
      assert.equal(status, name.includes('byte by byte') ? 502 : 504)
      await world.close()
      await app.close()
    })
  }

  test('a chunked body arrives whole', async () => {
    const app = await createApp(async (incoming, response) => {
      let length = 0
      for await (const chunk of incoming) length += (chunk as Buffer).length
      response.end(String(length))
    })
    const world = await serving(app.target)
    const asked = request({ host: '127.0.0.1', port: world.port, method: 'PUT', agent: false })
    for (let part = 0; part < 20; part++) asked.write('x'.repeat(10_000))
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    assert.equal(String((await once(response, 'data'))[0]), '200000')
    await world.close()
    await app.close()
  })

  test('nobody listens: 502, the operator is told why', async () => {
    const app = await createApp(() => undefined)
    await app.close()
    const world = await serving(app.target)
    const { status, body } = await ask(world, {})
    assert.deepEqual([status, body], [502, '{"code":"GATEWAY_UPSTREAM_UNREACHABLE"}'])
    assert.equal((await ask(world, {})).status, 502)
    assert.match(String(world.logged.at(-1)?.facts['detail']), /ECONNREFUSED/)
    await world.close()
  })

  test('traversal: nothing leads out of the path that goes through', async () => {
    const app = await createApp((_incoming, response) => response.end())
    const world = await createWorld(configOf([app.target], [route({ http: { ...http, path: '/public' } })]))
    for (const path of ['/public/../admin', '/public/%2e%2e/admin', '/public/..;/admin', '/public/..\\admin']) {
      const { status, body } = await ask(world, { path })
      assert.deepEqual([status, body], [403, '{"code":"GATEWAY_HTTP_REFUSED"}'], path)
    }
    assert.equal((await ask(world, { path: '/publicity' })).status, 404)
    assert.equal((await ask(world, { path: '/public/app.js' })).status, 200)
    assert.deepEqual(
      app.requests.map(({ url }) => url),
      ['/public/app.js'],
    )
    await world.close()
    await app.close()
  })

  const HIDDEN = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'
  const sized = [`Content-Length: ${HIDDEN.length}`]
  const chunks = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`
  const many = Array.from({ length: 1100 }, () => 'X-A: b')
  const bodies: readonly (readonly [name: string, lines: readonly string[], body: string, status: number])[] = [
    ['a length', sized, HIDDEN, 200],
    ['chunks', ['Transfer-Encoding: chunked'], chunks, 200],
    ['a length that Connection names', ['Connection: Content-Length', ...sized], HIDDEN, 200],
    ['a length that Connection names otherwise', ['Connection: keep-alive, content_length', ...sized], HIDDEN, 200],
    ['a coding that Connection names', ['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'], chunks, 200],
    ['a Host that Connection names', ['Connection: Host', ...sized], HIDDEN, 200],
    ['a length in two spellings', ['Content_Length: 0', 'Content.Length: 0', ...sized], HIDDEN, 200],
    ['a coding in two spellings', ['Transfer_Encoding: identity', ...sized], HIDDEN, 200],
    ['two lengths', ['Content-Length: 0', ...sized], HIDDEN, 400],
    ['a length and chunks', ['Transfer-Encoding: chunked', ...sized], HIDDEN, 400],
    ['a length behind more lines than Node reads', [...many, ...sized], HIDDEN, 431],
    ['a coding behind more lines than Node reads', [...many, 'Transfer-Encoding: chunked'], chunks, 431],
  ]
  for (const method of ['GET', 'POST', 'DELETE']) {
    for (const [name, lines, body, status] of bodies) {
      test(`smuggling: the body of a ${method} is no request to a backend: ${name}`, async () => {
        const app = await createApp(async (incoming, response) => {
          let text = ''
          for await (const chunk of incoming) text += String(chunk)
          response.end(text)
        })
        const world = await serving(app.target)
        const socket = connect(world.port, '127.0.0.1')
        const closed = once(socket, 'close')
        let text = ''
        socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
        socket.write(`${method} /page HTTP/1.1\r\nHost: app.localhost\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
        // A request behind it, whose answer tells that all before it was answered.
        socket.write('GET /last HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n')
        await closed
        assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
        // What stands behind a refused request may be read before its connection ends.
        const seen = app.requests.map(one => `${one.method} ${one.url}`)
        if (status === 200) assert.deepEqual(seen, [`${method} /page`, 'GET /last'])
        else assert.ok(seen.every(one => one === 'GET /last'))
        if (status === 200) {
          assert.ok(text.includes(HIDDEN), 'the backend got the body')
          assert.doesNotMatch(JSON.stringify(app.requests[0]!.rawHeaders), /content[_.]length|transfer_/i)
        }
        await world.close()
        await app.close()
      })
    }
  }

  for (const [lines, status] of [
    [199, 200],
    [200, 200],
    [201, 431],
  ] as const) {
    test(`${lines} header lines: ${status}`, async () => {
      const app = await createApp((_incoming, response) => response.end())
      const world = await serving(app.target)
      const headers = Array.from({ length: lines - 2 }, (_, index) => [`X-${index}`, 'a'])
      const answer = await ask(world, {
        headers: { ...Object.fromEntries(headers), Host: 'app.localhost', Connection: 'close' },
      })
      assert.equal(answer.status, status)
      if (status === 431) {
        assert.equal(answer.body, '{"code":"SALLY_REQUEST_TOO_LARGE"}')
        assert.deepEqual(world.gateway.refusals(), [{ listener: 'main', reason: 'too-large', count: 1 }])
      }
      await world.close()
      await app.close()
    })
  }

  for (const [characters, status] of [
    [8192, 200],
    [8193, 414],
  ] as const) {
    test(`a target of ${characters} characters: ${status}`, async () => {
      const app = await createApp((_incoming, response) => response.end())
      const world = await serving(app.target)
      const answer = await ask(world, { path: `/?${'&'.repeat(characters - 2)}` })
      assert.equal(answer.status, status)
      assert.equal(app.requests.length, status === 200 ? 1 : 0)
      if (status === 414) {
        assert.equal(answer.body, '{"code":"SALLY_REQUEST_TOO_LARGE"}')
        assert.deepEqual(world.gateway.refusals(), [{ listener: 'main', reason: 'too-large', count: 1 }])
      }
      await world.close()
      await app.close()
    })
  }

  for (const [host, status] of [
    ['app.localhost', 200],
    ['APP.localhost:8443', 200],
    ['app.localhost:@evil.example', 404],
    ['app.localhost:80@evil.example', 404],
    ['app.localhost:443/evil', 404],
    ['app.localhost:evil.example', 404],
    ['app.localhost:', 404],
    ['app.localhost:123456', 404],
    ['app.localhost.', 404],
    ['app.localhost, evil.example', 404],
  ] as const) {
    test(`a link to another host: ${host} is ${status}`, async () => {
      const app = await createApp((_incoming, response) => response.end())
      const world = await createWorld(configOf([app.target], [route({ http, hosts: ['app.localhost'] })]))
      assert.equal((await ask(world, { headers: { Host: host } })).status, status)
      assert.deepEqual(
        app.requests.map(({ headers }) => headers['x-forwarded-host']),
        status === 200 ? [host] : [],
      )
      await world.close()
      await app.close()
    })
  }

  test('without http in its route: 404', async () => {
    const world = await createWorld(configOf(['ws://127.0.0.1:9']))
    assert.deepEqual(await ask(world, {}).then(({ status, body }) => [status, body]), [
      404,
      '{"code":"GATEWAY_NO_ROUTE"}',
    ])
    await world.close()
  })
})
