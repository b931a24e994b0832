import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import { bundleClient, clientScriptSource } from '../../schema/client-script.ts'
import { CLIENT_SCRIPT_TEXT } from '../../src/assets/client-script-text.ts'
import { configOf, createWorld, route, UPSTREAM } from '../support/gateway-world.ts'
import { closing } from '../support/leftovers.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode!, headers: response.headers, body: text }
}

test('the script is the library’s own, and exports connect; else run packages/gateway/schema/write.ts', async () => {
  assert.equal(CLIENT_SCRIPT_TEXT, await bundleClient())
  const file = join(import.meta.dirname, '../../src/assets/client-script-text.ts')
  assert.equal(readFileSync(file, 'utf8'), await clientScriptSource())
  const { connect } = (await import(`data:text/javascript,${encodeURIComponent(CLIENT_SCRIPT_TEXT)}`)) as {
    connect: (url: string) => unknown
  }
  assert.throws(() => connect('ftp://example.com'), TypeError)
  assert.ok(brotliCompressSync(CLIENT_SCRIPT_TEXT).length <= 4300)
})

describe('the client script', () => {
  const PATH = '/.sallyport/client.js'

  /** A gateway before an app, asked once. */
  async function at(method: string, path = PATH, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
    const app = createServer((_request, response) => response.end('the app')).listen(0, '127.0.0.1')
    await once(app, 'listening')
    const close = closing(async () => {
      app.closeAllConnections()
      await new Promise(resolve => app.close(resolve))
    })
    const targets = [`http://127.0.0.1:${(app.address() as AddressInfo).port}`]
    const http = { path: '/', upstream: 'app', timeoutMs: 5000 }
    const config = configOf(
      ['ws://127.0.0.1:1'],
      [
        route({ http, hosts: ['app.localhost'] }),
        route({ id: 'off', http, hosts: ['off.localhost'], clientPath: null }),
        route({ id: 'moved', hosts: ['moved.localhost'], clientPath: '/assets/ws.js' }),
      ],
    )
    const world = await createWorld({ ...config, upstreams: { ...config.upstreams, app: { ...UPSTREAM, targets } } })
    const answer = await ask(world.port, method, path, { Host: 'app.localhost', ...headers }, body)
    await world.close()
    await close()
    return answer
  }

  test('is one module, with what keeps it a script of its own origin', async () => {
    const { status, headers, body } = await at('GET', PATH, { Origin: 'https://evil.example' })
    assert.equal(status, 200)
    assert.equal(body, CLIENT_SCRIPT_TEXT)
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['cache-control'], 'public, max-age=300')
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
    assert.match(headers.etag!, /^"[\w-]{43}"$/)
    assert.deepEqual(
      Object.keys(headers).filter(name => /^access-control|^set-cookie$|^vary$/.test(name)),
      [],
    )
  })

  test('HEAD has the same headers, and no body', async () => {
    const [head, get] = [await at('HEAD'), await at('GET')]
    assert.equal(head.body, '')
    assert.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' })
  })

  test('is not sent again to who has it', async () => {
    const { etag } = (await at('GET')).headers
    for (const [said, status] of [
      [etag!, 304],
      [`W/${etag}`, 304],
      [`"other", ${etag}`, 304],
      ['*', 304],
      ['"other"', 200],
      [etag!.slice(0, -2), 200],
    ] as const) {
      const answer = await at('GET', PATH, { 'If-None-Match': said })
      assert.equal(answer.status, status, said)
      assert.equal(answer.body.length > 0, status === 200)
    }
  })

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    test(`${method} is not allowed`, async () => {
      const { status, headers, body } = await at(method, PATH, {}, method === 'POST' ? '{"a":1}' : '')
      assert.deepEqual([status, headers.allow, body], [405, 'GET, HEAD', '{"code":"GATEWAY_METHOD_NOT_ALLOWED"}'])
    })
  }

  const elsewhere: readonly [name: string, host: string, path: string, status: number, body: RegExp][] = [
    ['a query changes nothing', 'app.localhost', `${PATH}?v=1`, 200, /sallyport\/client/],
    ['a name with a port', 'app.localhost:8080', PATH, 200, /sallyport\/client/],
    ['off: the path is the app’s', 'off.localhost', PATH, 200, /^the app$/],
    ['moved: there', 'moved.localhost', '/assets/ws.js', 200, /sallyport\/client/],
    ['moved: no longer here', 'moved.localhost', PATH, 404, /GATEWAY_NO_ROUTE/],
    ['a name that no route has', 'else.localhost', PATH, 404, /GATEWAY_NO_ROUTE/],
    ['another spelling is another path', 'moved.localhost', '/assets//ws.js', 404, /GATEWAY_NO_ROUTE/],
  ]
  for (const [name, host, path, status, body] of elsewhere) {
    test(name, async () => {
      const answer = await at('GET', path, { Host: host })
      assert.equal(answer.status, status)
      assert.match(answer.body, body)
    })
  }
})
