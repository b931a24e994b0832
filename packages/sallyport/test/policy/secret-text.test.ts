import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGuard, PolicyError } from '../../src/index.ts'
import { bearsSecret, hidden } from '../../src/shape/secret-text.ts'
import { quote } from '../../src/shape/shown.ts'
import { jwt } from '../../src/session/jwt.ts'
import { honestPolicy } from './secret-policy.ts'

/** `hunter2` is the secret of each. */
const SECRETS: readonly (readonly [name: string, text: string])[] = [
  ['a URL with a password', 'redis://:hunter2@cache.internal:6379'],
  ['a URL with user and password', 'https://admin:hunter2@app.company.com/path'],
  ['a URL with a user alone', 'wss://hunter2@app.company.com'],
  ['a password with a slash', 'redis://:hun/hunter2@cache'],
  ['a password with a hash', 'redis://u:#hunter2@cache'],
  ['a misspelt scheme', 'redis:/user:hunter2@cache'],
  ['no scheme', 'user:hunter2@cache:6379'],
  ['a connection string', 'host=db password=hunter2 user=app'],
  ['a token in a query', '/ws?token=hunter2'],
  ['a key in a query', 'https://issuer.example/keys?api_key=hunter2'],
  ['a header', 'X-Api-Key: hunter2'],
  ['a header of authorization', 'Authorization: Bearer hunter2'],
  ['a scheme alone', 'Bearer hunter2'],
  ['Basic', 'basic hunter2=='],
  ['a cookie', 'Cookie: sid=hunter2'],
  ['a session', 'sid=hunter2'],
  ['JSON', '{"password":"hunter2"}'],
  ['a private key', '-----BEGIN PRIVATE KEY-----\nhunter2'],
  ['a JWT', 'eyJhbGciOiJIUzI1NiJ9.hunter2.sig'],
  ['a known prefix', 'ghp_hunter2'],
  ['another one', 'sk_live_hunter2'],
  ['a ticket', 'sallyport.ticket.hunter2'],
  ['hex', 'hunter2c0ffee00112233445566778899aabb'],
  ['base64', 'hunter2Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X+/='],
  ['base64url', 'hunter2Zr4Tn1Vc8Mf5Jd3-Hs6Lp0_GyEb7Qw2X'],
  ['a UUID', '0b0d3a4e-1f2a-4c3b-9d8e-hunter2'.replace('hunter2', '112233445566')],
  ['more than a name can be', `hunter2${' '.repeat(5000)}`],
]

/** What an error must show, or nobody finds the mistake. */
const HARMLESS = [
  'https://app.company.com',
  'http://localhost:3000',
  'wss://app.company.com:8443/ws',
  'app.company.com',
  '.company.com',
  '*.company.com',
  '999.8.7.6',
  '10.0.0.0/33',
  '2001:db8::1',
  '[::1]:8443',
  '30 secs',
  '64 KB',
  'handshake/orign',
  'x-forwarded-for',
  'graphql-transport-ws',
  'my-very-long-subprotocol-name-v1',
  '/a/long/path/with/many/segments/v2/ws',
  'https://…@app.company.com',
  'secret',
  'token',
  'a b',
  '',
  'subprotocoll',
  'redis://cache.internal:6379/0',
  'unix:/run/sallyport/gateway.sock',
  'X-Request-Id',
]

describe('text that may hold a secret', () => {
  for (const [name, text] of SECRETS) {
    it(`${name} is shown as its length`, () => {
      assert.equal(bearsSecret(text), true)
      assert.equal(quote(text), hidden(text))
      assert.equal(quote(text), `(hidden, ${Buffer.byteLength(text)} bytes)`)
    })
  }
  for (const text of HARMLESS) it(`${JSON.stringify(text)} is shown`, () => assert.equal(quote(text), `'${text}'`))
})

describe('errors of a policy show no secret', () => {
  const places: readonly (readonly [
    path: string,
    policy: (text: string) => { readonly [section: string]: unknown },
  ])[] = [
    ['name', text => ({ name: `${text}\n` })],
    ['store', text => ({ store: text })],
    ['proxy.trust', text => ({ proxy: { trust: [text] } })],
    ['report', text => ({ report: [text] })],
    ['timeout', text => ({ timeout: text })],
    ['handshake.origin.allow', text => ({ handshake: { origin: { allow: [text] } } })],
    ['handshake.host.allow', text => ({ handshake: { host: { allow: [`${text}/`] } } })],
    ['handshake.subprotocol.serve', text => ({ handshake: { subprotocol: { serve: [`${text} `] } } })],
    ['handshake.ticket.secret', text => ({ handshake: { ticket: { secret: text.slice(0, 20) } } })],
    ['handshake.ticket.carrier', text => ({ handshake: { ticket: { carrier: text } } })],
    ['handshake.ticket.paths', text => ({ handshake: { ticket: { paths: [text] } } })],
    ['handshake.request.headerBytes', text => ({ handshake: { request: { headerBytes: text } } })],
    ['handshake.session', text => ({ handshake: { session: text } })],
    ['an unknown key', text => ({ [text]: text })],
    ['events.hashKey', text => ({ events: { hashKey: text.slice(0, 20) } })],
    ['message.rate.exceed', text => ({ message: { rate: { exceed: text } } })],
  ]
  for (const [path, policy] of places) {
    it(path, () => {
      for (const [name, text] of SECRETS) {
        try {
          createGuard(honestPolicy(policy(text)) as never)
        } catch (error) {
          assert.ok(error instanceof PolicyError, `${name}: ${String(error)}`)
          assert.equal(error.message.includes('hunter2'), false, `${name}: ${error.message}`)
          assert.equal(JSON.stringify(error.problems).includes('hunter2'), false, name)
        }
      }
    })
  }
})

describe('errors of jwt() show no secret', () => {
  const good = { algorithms: ['RS256'], issuer: 'https://issuer.example', audience: 'chat', from: { cookie: 'token' } }
  for (const [key, value] of [
    ['jwks', (text: string) => `http://${text}`],
    ['issuer', (text: string) => [text, 7]],
    ['from', (text: string) => ({ header: text })],
    ['type', (text: string) => [text]],
    ['clockTolerance', (text: string) => text],
    ['algorithms', (text: string) => [text]],
    ['dangerouslyAnyIssuer', (text: string) => text],
  ] as const) {
    it(key, () => {
      for (const [name, text] of SECRETS) {
        const options = { jwks: 'https://issuer.example/keys', ...good, [key]: value(text) }
        let message = ''
        try {
          jwt(options as never)
        } catch (error) {
          message = String(error)
        }
        assert.equal(message.includes('hunter2'), false, `${name}: ${message}`)
      }
    })
  }
})
