import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { jwtVerify } from 'jose'
import { withoutParameter, headerValue, filterCookies } from '../../src/http/header-values.ts'
import type { RelayConfig } from '../../src/model/config.ts'
import { createBackend } from '../support/backends.ts'
import {
  type ConnectOptions,
  configOf,
  createWorld,
  ORIGIN,
  RELAY,
  route,
  type RoutePart,
} from '../support/gateway-world.ts'

/** The handshake that a backend gets for one of a client. */
async function seen(
  options: ConnectOptions = {},
  part: RoutePart = {},
): Promise<{
  readonly url: string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly raw: readonly string[]
}> {
  const backend = await createBackend()
  const world = await createWorld(configOf([backend.target], [route(part)]))
  try {
    await world.connect(options)
    const { url = '', headers, rawHeaders } = backend.requests[0]!
    return { url, headers: { ...headers, 'test-host': backend.target.slice(5) }, raw: rawHeaders }
  } finally {
    await world.close()
    await backend.close()
  }
}

describe('what a backend learns about the client', () => {
  test('who it is: session, user and connection, and where from', async () => {
    const { headers } = await seen()
    assert.equal(headers['x-sallyport-session'], 's1')
    assert.equal(headers['x-sallyport-user'], 'user%20of%20s1')
    assert.match(String(headers['x-sallyport-connection']), /^[0-9a-f-]{36}$/)
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.match(String(headers['x-forwarded-host']), /^127\.0\.0\.1:\d+$/)
    assert.equal(headers['host'], headers['test-host'])
    assert.equal(headers['origin'], ORIGIN)
    assert.equal(headers['cookie'], 'sid=s1')
  })

  const forged: readonly string[] = [
    'X-Sallyport-User',
    'x-sallyport-user',
    'X-SALLYPORT-SESSION',
    'X_Sallyport_User',
    'X-Sallyport_User',
    'X.Sallyport.User',
    'x!sallyport~user',
    "X'Sallyport|User",
    'X.Forwarded.For',
    'X+Real+IP',
    'X.Tenant',
    'X-Sallyport-Anything',
    'X-Forwarded-For',
    'X_Forwarded_For',
    'X-Forwarded-User',
    'X-Forwarded-Email',
    'Forwarded',
    'X-Real-IP',
    'X_Real_Ip',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Original-URL',
    'X-Rewrite-URL',
    'Via',
    'Proxy-Authorization',
    'X-Tenant',
    'X_Tenant',
    'Sec_WebSocket_Protocol',
    'Sec.WebSocket.Key',
    'Sec-WebSocket-Anything',
    'Content_Length',
    'Transfer_Encoding',
  ]
  for (const name of forged) {
    test(`forged: ${name} of a client reaches no backend`, async () => {
      const { raw } = await seen(
        { headers: { [name]: 'mallory-was-here' } },
        { relay: { headers: { 'X-Tenant': 'ours' } }, handshake: { transport: { dangerouslyAllowPlaintext: true } } },
      )
      assert.equal(raw.includes('mallory-was-here'), false, raw.join(' | '))
      assert.equal(raw[raw.findIndex(one => one.toLowerCase() === 'x-tenant') + 1], 'ours')
    })
  }

  const doubled: readonly [name: string, said: string, expected: RegExp][] = [
    ['X-Forwarded-For', '192.0.2.1', /^192\.0\.2\.1$/],
    ['x-forwarded-PROTO', 'https', /^https$/],
    ['X_Forwarded_Host', 'app.test', /^app\.test$/],
    ['Origin', 'https://internal.test', /^https:\/\/internal\.test$/],
    ['Cookie', 'a=1', /^a=1$/],
    ['X-Sallyport-User', 'admin', /^user%20of%20s1$/],
    ['x_sallyport_session', 'admin', /^s1$/],
  ]
  for (const [name, said, expected] of doubled) {
    test(`a header that configuration and gateway both set stands once: ${name}`, async () => {
      const { raw } = await seen({}, { relay: { headers: { [name]: said } } })
      const plain = (one: string): string => one.toLowerCase().replaceAll('_', '-')
      const values = raw.filter((_, index) => index % 2 === 1 && plain(raw[index - 1]!) === plain(name))
      assert.equal(values.length, 1)
      assert.match(values[0]!, expected)
    })
  }

  test('a client’s own headers pass as they are', async () => {
    const { headers } = await seen({ headers: { Authorization: 'Bearer x', 'Accept-Language': 'de', 'X-App': '1' } })
    assert.deepEqual([headers['authorization'], headers['accept-language'], headers['x-app']], ['Bearer x', 'de', '1'])
  })

  test('no extension is offered to the backend, whatever the client offers', async () => {
    const { headers } = await seen({ perMessageDeflate: true })
    assert.equal(headers['sec-websocket-extensions'], undefined)
  })

  const relays: readonly [name: string, relay: Partial<RelayConfig>, header: string, expected: RegExp | undefined][] = [
    ['Host of the client', { host: 'client' }, 'host', /^127\.0\.0\.1:\d+$/],
    ['a fixed Host', { host: { fixed: 'internal.example' } }, 'host', /^internal\.example$/],
    ['no Origin', { origin: 'strip' }, 'origin', undefined],
    ['a fixed Origin', { origin: { fixed: 'https://internal.example' } }, 'origin', /^https:\/\/internal\.example$/],
    ['no cookies', { cookies: 'strip' }, 'cookie', undefined],
    ['some cookies', { cookies: ['theme'] }, 'cookie', /^theme=dark$/],
    ['nothing of where from', { forwarded: false }, 'x-forwarded-for', undefined],
    [
      'another name for the user, and no session',
      { identity: { ...RELAY.identity, sessionHeader: null, userHeader: 'Remote-User' } },
      'remote-user',
      /^user%20of%20s1$/,
    ],
    [
      'no session, where it is not told',
      { identity: { ...RELAY.identity, sessionHeader: null } },
      'x-sallyport-session',
      undefined,
    ],
  ]
  for (const [name, relay, header, expected] of relays) {
    test(name, async () => {
      const { headers } = await seen({ headers: { Cookie: 'sid=s1; theme=dark', 'Remote-User': 'mallory' } }, { relay })
      if (expected === undefined) assert.equal(headers[header], undefined)
      else assert.match(String(headers[header]), expected)
    })
  }

  test('a session id cannot break out of its header line', async () => {
    const { headers, raw } = await seen({ headers: { Cookie: `sid=${encodeURIComponent('a\r\nX-Admin: 1')}` } })
    assert.equal(headers['x-sallyport-session'], 'a%0D%0AX-Admin:%201')
    assert.equal(
      raw.some(name => name.toLowerCase() === 'x-admin'),
      false,
    )
  })

  test('a short-lived JWT says the same, signed', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const jwt = {
      header: 'X-Sallyport-Identity',
      key,
      algorithm: 'EdDSA',
      issuer: 'gateway',
      audience: 'chat',
      ttlMs: 60_000,
    } as const
    const { headers } = await seen({}, { relay: { identity: { ...RELAY.identity, jwt } } })
    const { payload } = await jwtVerify(String(headers['x-sallyport-identity']), publicKey, {
      issuer: 'gateway',
      audience: 'chat',
    })
    assert.deepEqual([payload.sub, payload['sid']], ['user of s1', 's1'])
    assert.equal(payload.exp! - payload.iat!, 60)
  })

  test('a secret that is too short for HS256 is refused at start', async () => {
    const jwt = { header: 'X', key: 'short', algorithm: 'HS256', issuer: 'g', audience: 'c', ttlMs: 1 } as const
    const config = configOf(['ws://127.0.0.1:9'], [route({ relay: { identity: { ...RELAY.identity, jwt } } })])
    await assert.rejects(createWorld(config), { name: 'TypeError', message: /32 bytes/ })
  })
})

describe('the path', () => {
  const paths: readonly [name: string, route: RoutePart, asked: string, expected: string][] = [
    ['goes on as it is', {}, '/ws?room=1&x=%20', '/ws?room=1&x=%20'],
    ['below a pattern', { path: '/api/*' }, '/api/ws?x', '/api/ws?x'],
    ['another prefix in place of the route’s', { path: '/api/*', relay: { path: '/v2' } }, '/api/ws?x', '/v2/ws?x'],
    ['another path in place of the route’s', { relay: { path: '/socket' } }, '/ws?x', '/socket?x'],
  ]
  for (const [name, part, asked, expected] of paths) {
    test(name, async () => assert.equal((await seen({ path: asked }, part)).url, expected))
  }

  const targets: readonly [target: string, expected: string][] = [
    ['/ws?ticket=abc', '/ws'],
    ['/ws?room=1&ticket=abc&y=2', '/ws?room=1&y=2'],
    ['/ws?%74icket=abc&room=1', '/ws?room=1'],
    ['/ws?ticket=a&ticket=b', '/ws'],
    ['/ws?tickets=1&xticket=2', '/ws?tickets=1&xticket=2'],
    ['/ws?room=ticket', '/ws?room=ticket'],
    ['/ws', '/ws'],
  ]
  for (const [target, expected] of targets) {
    test(`the ticket is taken out of ${target}`, () => assert.equal(withoutParameter(target, 'ticket'), expected))
  }
})

describe('subprotocols are agreed on from end to end', () => {
  const cases: readonly [
    name: string,
    offered: readonly string[],
    served: readonly string[],
    backend: string | false,
    sees: string | undefined,
    answer: string,
  ][] = [
    ['the backend’s choice', ['a', 'b'], ['a', 'b'], 'b', 'a,b', 'b'],
    ['only what the policy serves is offered', ['a', 'evil'], ['a', 'b'], 'a', 'a', 'a'],
    [
      'the client library’s own ends at the gateway',
      ['sallyport.v1'],
      ['sallyport.v1'],
      false,
      undefined,
      'sallyport.v1',
    ],
    [
      'and stands back for a backend’s choice',
      ['sallyport.v1', 'graphql-transport-ws'],
      ['sallyport.v1', 'graphql-transport-ws'],
      'graphql-transport-ws',
      'graphql-transport-ws',
      'graphql-transport-ws',
    ],
  ]
  for (const [name, offered, serve, chosen, sees, answer] of cases) {
    test(name, async () => {
      const backend = await createBackend({ handleProtocols: () => chosen })
      const world = await createWorld(configOf([backend.target], [route({ handshake: { subprotocol: { serve } } })]))
      const client = await world.connect({ protocols: offered })
      assert.equal(client.protocol, answer)
      assert.equal(backend.requests[0]!.headers['sec-websocket-protocol']?.replaceAll(' ', ''), sees)
      await world.close()
      await backend.close()
    })
  }

  test('a ticket as a subprotocol opens the door, and reaches no backend', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target], [route({ handshake: { ticket: {} } })]))
    const response = await fetch(`http://127.0.0.1:${world.port}/.sallyport/ticket?path=/ws`, {
      method: 'POST',
      headers: { Origin: ORIGIN, Cookie: 'sid=s1', Host: 'app.localhost' },
    })
    assert.equal(response.status, 403, 'the endpoint issues to its own origin alone')
    const issued = (await world.ticket()) as string
    const client = await world.connect({ protocols: ['sallyport.v1', `sallyport.ticket.${issued}`] })
    assert.equal(client.protocol, 'sallyport.v1')
    assert.equal(JSON.stringify(backend.requests[0]!.rawHeaders).includes(issued), false)
    assert.deepEqual(await world.refusal({ protocols: ['sallyport.v1', `sallyport.ticket.${issued}`] }), [
      403,
      '{"code":"SALLY_TICKET_USED"}',
    ])
    await world.close()
    await backend.close()
  })

  test('a ticket in the query opens the door, and reaches no backend', async () => {
    const backend = await createBackend()
    const ticket = { carrier: 'query' }
    const world = await createWorld(configOf([backend.target], [route({ handshake: { ticket } })]))
    await world.connect({ path: `/ws?room=1&ticket=${await world.ticket()}` })
    assert.equal(backend.requests[0]!.url, '/ws?room=1')
    await world.close()
    await backend.close()
  })
})

describe('header values', () => {
  for (const text of ['plain', 'a b', 'é', '100%', 'a\r\nb', '\u0000', '日本', '%41', '']) {
    test(`${JSON.stringify(text)} comes back from its header`, () => {
      assert.match(headerValue(text), /^[!-~]*$/)
      assert.equal(decodeURIComponent(headerValue(text)), text)
    })
  }

  test('of cookies only those allowed', () => {
    assert.equal(filterCookies('a=1; b=2;c=3', ['a', 'c']), 'a=1; c=3')
    assert.equal(filterCookies('a=1; b=2', ['x']), null)
    assert.equal(filterCookies(undefined, 'pass'), null)
  })
})
