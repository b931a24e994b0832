import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { isClaim } from '../../src/http/header-claims.ts'
import { canonicalName } from '../../src/http/header-names.ts'
import { type Backend, createBackend } from '../support/backends.ts'
import { configOf, createWorld, type GatewayWorld, route } from '../support/gateway-world.ts'
import { handshake } from '../support/handshake.ts'
import { type App, createApp, http } from '../support/plain-app.ts'

/** What a backend could take for the truth, by what it claims. */
const CLAIMS: { readonly [claim: string]: string } = {
  'an address': `Client-IP Proxy-Client-IP WL-Proxy-Client-IP Http-Client-Ip X-Originating-IP X-Remote-IP X-Remote-Addr
    X-Envoy-External-Address Fly-Client-IP X-Azure-ClientIP X-Azure-SocketIP X-Appengine-User-IP True-Client-IP X-Real-IP
    X-Client-IP X-Cluster-Client-IP CF-Connecting-IP CF-Connecting-IPv6 CF-Pseudo-IPv4 Fastly-Client-IP X-ProxyUser-Ip
    Remote-Addr Ali-CDN-Real-IP Incap-Client-IP X-Sucuri-ClientIP X-True-IP X-Source-IP X-Peer-Address X-Client-Address
    ClientIP XRealIP X-Custom-IP-Authorization X-Forwarded-For Forwarded-For X-Forward-For Forwarded CloudFront-Viewer-Address
    X-Vercel-Forwarded-For X-Nf-Client-Connection-Ip`,
  'a user': `Remote-User X-Remote-User X-User X-User-Id X-Username X-Auth-User X-Auth-Username X-Auth-Request-User
    X-Auth-Request-Email X-WEBAUTH-USER X-Authenticated-User X-Forwarded-User X-Forwarded-Email X-Goog-Authenticated-User-Email
    X-MS-CLIENT-PRINCIPAL-NAME X-Amzn-Oidc-Data Tailscale-User-Login Cf-Access-Jwt-Assertion X-Consumer-Username X-Userinfo
    X-Jwt-Claim-Sub X-Jwt-Payload SM-UserDN Iv-Creds X-Spiffe-Id X-User-Locale-User
    Impersonate-User Remote-Groups X-Remote-Name X-Email X-Roles X-Role X-Authentik-Username X-Shib-Session-Id`,
  'a certificate': `X-SSL-Client-Verify SSL-CLIENT-VERIFY SSL-CLIENT-S-DN X-SSL-Cert X-Client-Cert Client-Cert Client-Cert-Chain
    X-ARR-ClientCert X-Client-Verify X-Client-DN X-Amzn-Mtls-Clientcert X-TLS-Client-Fingerprint X-Forwarded-Client-Cert`,
  'a scheme': `Front-End-Https X-Scheme X-Url-Scheme X-Forwarded-Proto X-Forwarded-Scheme X-Forwarded-Ssl X-ARR-SSL Https
    X-HTTPS X-Proto Cloudfront-Forwarded-Proto`,
  'a host, a port or a path': `X-Host X-Forwarded-Host X-Backend-Host X-HTTP-Host-Override X-Original-Host X-Server-Name
    X-Forwarded-Server X-Forwarded-Port X-Port Server-Port X-Original-URL X-Rewrite-URL Script-Name Path-Info X-Forwarded-Prefix`,
  'a proxy': `Proxy X-Proxy-Url Via Proxy-Authorization X-Sallyport-User X-Sallyport-Anything X-Client-Port X-Source-Port`,
  'a step of the backend itself': `X-Middleware-Subrequest X-Middleware-Rewrite X-Middleware-Skip X-Invoke-Path X-Matched-Path
    X-Now-Route-Matches X-Accel-Mapping X-Accel-Internal X-Sendfile-Type`,
}

/** What apps need, and browsers and libraries send. */
const HONEST =
  `Accept Accept-Language Accept-Charset Content-Type Content-Language Content-Disposition X-Requested-With X-CSRF-Token
  X-XSRF-Token X-My-App X-App-Version User-Agent X-User-Agent Sec-Fetch-User Sec-CH-UA Authorization X-Api-Key
  X-Auth-Token X-Access-Token X-Request-Id X-Correlation-Id Traceparent Tracestate Baggage X-Amzn-Trace-Id X-Tenant-Id
  X-Session-Id X-Device-Id X-Client-Version X-Client-Id Idempotency-Key HX-Request HX-Current-URL Turbo-Frame Mcp-Session-Id
  Mcp-Protocol-Version If-None-Match Range Referer DNT Priority Max-Forwards Pragma Cache-Control Upgrade-Insecure-Requests
  Access-Control-Request-Method DPoP X-Zip-Code X-Membership Tus-Resumable X-Wallet-Address X-Ship-To X-Transport X-Report
  X-Support Last-Event-ID Save-Data X-Amz-Date X-Hasura-Role X-Grpc-Web Sentry-Trace
  X-User-Agent-Hint X-User-Timezone X-User-Locale X-User-Language X-Real-Estate X-Port-Of-Loading X-Middleware-Prefetch
  X-Nextjs-Data X-Original-Filename X-HTTP-Method-Override X-Claim-Id Apollographql-Client-Name`.split(/\s+/)

const MALLORY = 'mallory-was-here'
const mixed = (name: string): string =>
  [...name].map((sign, at) => (at % 2 === 0 ? sign.toLowerCase() : sign.toUpperCase())).join('')
const spellings = (name: string): readonly string[] => [
  name,
  name.toLowerCase(),
  name.toUpperCase(),
  mixed(name),
  name.replaceAll('-', '_'),
  name.replace('-', '_'),
  name.replaceAll('-', '.'),
  name.replaceAll('-', '--'),
  `${name}-`,
  // Twice.
  name,
]

describe('a header that claims what only a proxy may say', () => {
  let backend: Backend
  let app: App
  let sockets: GatewayWorld
  let plain: GatewayWorld
  beforeEach(async () => {
    backend = await createBackend()
    app = await createApp((_incoming, response) => response.end())
    const relay = { headers: { 'X-Tenant': 'ours' } }
    sockets = await createWorld(
      configOf(
        [backend.target],
        [route({ relay, handshake: { transport: { dangerouslyAllowPlaintext: true }, request: { headers: 200 } } })],
      ),
    )
    plain = await createWorld(configOf([app.target], [route({ relay, http })]))
  })
  afterEach(async () => {
    await Promise.all([sockets.close(), plain.close()])
    await Promise.all([backend.close(), app.close()])
  })

  /** Header lines that a backend really got, of a handshake and of plain HTTP with these lines. */
  async function received(
    lines: readonly string[],
  ): Promise<{ readonly socket: readonly string[]; readonly page: readonly string[] }> {
    const text = lines.map(line => `${line}\r\n`).join('')
    const opened = connect(sockets.port, '127.0.0.1').on('error', () => undefined)
    opened.write(handshake().replace(/\r\n$/, `${text}\r\n`))
    const [answer] = (await once(opened, 'data')) as [Buffer]
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /)
    opened.destroy()
    const asked = connect(plain.port, '127.0.0.1').on('error', () => undefined)
    asked.write(`GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n${text}\r\n`)
    const [head] = (await once(asked, 'data')) as [Buffer]
    assert.match(head.toString('latin1'), /^HTTP\/1\.1 200 /)
    asked.destroy()
    return { socket: backend.requests.at(-1)!.rawHeaders, page: app.requests.at(-1)!.rawHeaders }
  }

  for (const [claim, names] of Object.entries(CLAIMS)) {
    for (const name of names.trim().split(/\s+/)) {
      test(`${claim}: ${name} in ten spellings reaches no backend`, async () => {
        const { socket, page } = await received(spellings(name).map(one => `${one}: ${MALLORY}`))
        for (const seen of [socket, page]) {
          assert.equal(seen.join(' | ').includes(MALLORY), false, seen.join(' | '))
          assert.equal(seen[seen.findIndex(one => one.toLowerCase() === 'x-tenant') + 1], 'ours')
        }
      })
    }
  }

  test('a claim that hides among many honest lines is found', async () => {
    const { socket, page } = await received([
      ...Array.from({ length: 40 }, (_, at) => `X-My-App-${at}: 1`),
      `x_remote_user: ${MALLORY}`,
    ])
    for (const seen of [socket, page]) {
      assert.equal(seen.includes(MALLORY), false)
      assert.equal(seen.includes('X-My-App-39') || seen.includes('x-my-app-39'), true)
    }
  })

  for (const name of HONEST) {
    test(`an honest header: ${name} passes as it is`, async () => {
      const value = 'a value of the app'
      const { socket, page } = await received([`${name}: ${value}`])
      assert.equal(socket[socket.findIndex(one => one.toLowerCase() === name.toLowerCase()) + 1], value)
      assert.equal(page[page.findIndex(one => one.toLowerCase() === name.toLowerCase()) + 1], value)
    })
  }

  test('the operator lets a claim pass by its name, in each spelling, and no other', async () => {
    const relay = { dangerouslyPassHeaders: ['X-User-Id'] }
    const world = await createWorld(configOf([backend.target], [route({ relay })]))
    await world.connect({ headers: { 'x-user-id': '17', 'X-User-Name': MALLORY, 'X-Sallyport-User': MALLORY } })
    const { headers, rawHeaders } = backend.requests.at(-1)!
    assert.equal(headers['x-user-id'], '17')
    assert.equal(rawHeaders.includes(MALLORY), false)
    assert.equal(headers['x-sallyport-user'], 'user%20of%20s1')
    await world.close()
  })

  for (const word of ['frontend', 'originating', 'user', 'x', 'ip', 'remote-', 'x-']) {
    test(`a name of 16 000 characters of ${word} is judged in one pass`, async () => {
      const name = `${word.repeat(16_000 / word.length)}q`
      // Within the time of a test: each part that can be read in two ways would double it.
      isClaim(canonicalName(name))
      const { port } = plain
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      socket.write(`GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n${name}: 1\r\n\r\n`)
      const [head] = (await once(socket, 'data')) as [Buffer]
      assert.match(head.toString('latin1'), /^HTTP\/1\.1 200 /)
      socket.destroy()
    })
  }

  test('a flood of names does not turn a claim into an honest header', () => {
    for (let at = 0; at < 5000; at++) assert.equal(isClaim(canonicalName(`X-Real${at}-Ip`)), true)
  })
})
