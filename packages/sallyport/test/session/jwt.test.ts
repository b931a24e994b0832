import assert from 'node:assert/strict'
import { createHash, createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { jwt, type JwtOptions } from '../../src/session/jwt.ts'
import { reasonOf, SessionUnavailable } from '../../src/session/no-session.ts'
import { show } from '../../src/shape/shown.ts'
import { handshake } from './handshakes.ts'

const ISSUER = 'https://issuer.example'
const AUDIENCE = 'chat'
const pair = await generateKeyPair('RS256', { extractable: true })
const other = await generateKeyPair('RS256', { extractable: true })
const spki = await exportSPKI(pair.publicKey)
const now = (): number => Math.floor(Date.now() / 1000)

interface Made {
  readonly claims?: JWTPayload
  readonly header?: { alg?: string; kid?: string; typ?: string; crit?: string[] }
  readonly key?: Parameters<SignJWT['sign']>[0]
}
const CLAIMS = (): JWTPayload => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'alice',
  jti: 'j1',
  exp: now() + 60,
  iat: now() - 10,
})
const make = ({ claims, header, key = pair.privateKey }: Made = {}): Promise<string> =>
  new SignJWT({ ...CLAIMS(), ...claims }).setProtectedHeader({ alg: 'RS256', ...header }).sign(key)

const OPTIONS: JwtOptions = {
  key: pair.publicKey,
  algorithms: ['RS256'],
  issuer: ISSUER,
  audience: AUDIENCE,
  from: { header: 'authorization' },
}
const bearer = (token: string) => handshake('/ws', { Authorization: `Bearer ${token}` })

describe('jwt', () => {
  const resolver = jwt(OPTIONS)

  it('a good token is a session: sub, jti, exp and iat', async () => {
    const claims = CLAIMS()
    const session = await resolver(bearer(await make({ claims })))
    assert.deepEqual(session, {
      id: 'j1',
      user: 'alice',
      claims,
      expiresAt: claims.exp! * 1000,
      issuedAt: claims.iat! * 1000,
    })
  })
  it('the id is sid before jti, and the SHA-256 of the token without either', async () => {
    assert.equal((await resolver(bearer(await make({ claims: { sid: 's9' } }))))?.id, 's9')
    const { jti: _, ...bare } = CLAIMS()
    const token = await new SignJWT(bare).setProtectedHeader({ alg: 'RS256' }).sign(pair.privateKey)
    assert.equal((await resolver(bearer(token)))?.id, createHash('sha256').update(token).digest('base64url'))
  })

  const refused: readonly [string, () => string | Promise<string>][] = [
    [
      'alg confusion: HS256 with the public key as secret',
      () => make({ header: { alg: 'HS256' }, key: new TextEncoder().encode(spki) }),
    ],
    ['alg none', () => new UnsecuredJWT(CLAIMS()).encode()],
    [
      'alg nOnE with a signature of nothing',
      async () => {
        const [, payload] = (await make()).split('.')
        return `${Buffer.from('{"alg":"nOnE"}').toString('base64url')}.${payload}.`
      },
    ],
    [
      'another algorithm of the same key: RS512',
      () => make({ header: { alg: 'RS512' }, key: pair.privateKey }).catch(() => 'a.b.c'),
    ],
    ['signed by another key', () => make({ key: other.privateKey })],
    ['wrong issuer', () => make({ claims: { iss: `${ISSUER}.evil.example` } })],
    ['wrong audience', () => make({ claims: { aud: 'mail' } })],
    ['expired a second ago', () => make({ claims: { exp: now() - 6 } })],
    ['not yet valid', () => make({ claims: { nbf: now() + 60 } })],
    ['issued in the future, to outlive revocations', () => make({ claims: { iat: now() + 3600 } })],
    ['without sub', () => make({ claims: { sub: undefined as never } })],
    ['empty sub', () => make({ claims: { sub: '' } })],
    ['sub that is a number', () => make({ claims: { sub: 7 as never } })],
    ['sid that is an object', () => make({ claims: { sid: {} } })],
    ['without exp', () => make({ claims: { exp: undefined as never } })],
    ['exp that is text', () => make({ claims: { exp: '9999999999' as never } })],
    ['unknown critical header', () => make({ header: { crit: ['x'], x: 1 } as never }).catch(() => 'a.b.c')],
    [
      'payload swapped under the signature',
      async () => {
        const [head, , signature] = (await make()).split('.')
        return `${head}.${Buffer.from(JSON.stringify({ ...CLAIMS(), sub: 'admin' })).toString('base64url')}.${signature}`
      },
    ],
    ['cut', async () => (await make()).slice(0, -2)],
    ['not a token', () => 'hello'],
    ['over 8192 characters', () => make({ claims: { pad: 'x'.repeat(8192) } })],
  ]
  for (const [name, token] of refused) {
    it(`${name} is nobody`, async () => assert.equal(await resolver(bearer(await token())), null))
  }

  const reasons: readonly [string, () => string | Promise<string>, string][] = [
    ['another audience', () => make({ claims: { aud: 'mail' } }), 'ERR_JWT_CLAIM_VALIDATION_FAILED: aud'],
    ['another issuer', () => make({ claims: { iss: 'https://evil.example' } }), 'ERR_JWT_CLAIM_VALIDATION_FAILED: iss'],
    ['expired', () => make({ claims: { exp: now() - 60 } }), 'ERR_JWT_EXPIRED: exp'],
    ['another key', () => make({ key: other.privateKey }), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'],
    ['not a token', () => 'hello', 'ERR_JWS_INVALID'],
    ['too long', () => make({ claims: { pad: 'x'.repeat(8192) } }), 'a token of more than 8192 characters'],
    ['an empty sub', () => make({ claims: { sub: '' } }), 'a claim is not usable: sub, sid, jti, exp or iat'],
  ]
  for (const [name, token, reason] of reasons) {
    it(`${name}: the operator learns why, and nothing of the token`, async () => {
      const request = bearer(await token())
      await resolver(request)
      assert.equal(reasonOf(request), reason)
    })
  }
  it('no Authorization at all: no token', async () => {
    const request = handshake('/ws')
    await resolver(request)
    assert.equal(reasonOf(request), 'no token')
  })

  it('type: an ID token is not taken for an access token', async () => {
    const typed = jwt({ ...OPTIONS, type: 'at+jwt' })
    assert.equal(await typed(bearer(await make({ header: { typ: 'JWT' } }))), null)
    assert.equal((await typed(bearer(await make({ header: { typ: 'at+jwt' } }))))?.user, 'alice')
  })
  it('without expiry only where it is said', async () => {
    const session = await jwt({ ...OPTIONS, dangerouslyWithoutExpiry: true })(
      bearer(await make({ claims: { exp: undefined as never } })),
    )
    assert.equal(session?.user, 'alice')
    assert.equal(session.expiresAt, undefined)
  })
  it('any issuer and audience only where it is said', async () => {
    const { issuer: _i, audience: _a, ...rest } = OPTIONS
    const open = jwt({ ...rest, dangerouslyAnyIssuer: true, dangerouslyAnyAudience: true })
    assert.equal((await open(bearer(await make({ claims: { iss: 'x', aud: 'y' } }))))?.user, 'alice')
  })

  const sources: readonly [
    string,
    JwtOptions['from'],
    boolean,
    (token: string) => Parameters<typeof handshake>,
    boolean,
  ][] = [
    ['cookie', { cookie: 'token' }, true, t => ['/ws', { cookie: `token=${t}` }], true],
    ['query', { query: 'access' }, false, t => [`/ws?access=${t}`], true],
    ['query, twice', { query: 'access' }, false, t => [`/ws?access=${t}&access=${t}`], false],
    ['authorization', { header: 'Authorization' }, false, t => ['/ws', { authorization: `bearer ${t}` }], true],
    [
      'authorization, twice',
      { header: 'authorization' },
      false,
      t => ['/ws', { authorization: [`Bearer ${t}`, `Bearer ${t}`] }],
      false,
    ],
    ['authorization, Basic', { header: 'authorization' }, false, t => ['/ws', { authorization: `Basic ${t}` }], false],
    ['authorization, bare', { header: 'authorization' }, false, t => ['/ws', { authorization: t }], false],
    [
      'a header that a proxy sets',
      { header: 'Cf-Access-Jwt-Assertion' },
      true,
      t => ['/ws', { 'cf-access-jwt-assertion': t }],
      true,
    ],
    ['function', request => request.header('x-t'), true, t => ['/ws', { 'x-t': t }], true],
    ['function that answers no text', () => 7 as never, true, () => ['/ws'], false],
    ['nothing there', { cookie: 'token' }, true, () => ['/ws'], false],
  ]
  for (const [name, from, ambient, request, good] of sources) {
    it(`from ${name}: ${good ? 'read' : 'nobody'}, ${ambient ? '' : 'not '}ambient`, async () => {
      const reader = jwt({ ...OPTIONS, from })
      assert.equal(reader.ambient, ambient)
      assert.equal((await reader(handshake(...request(await make()))))?.user, good ? 'alice' : undefined)
    })
  }

  const misuse: readonly [string, object, RegExp][] = [
    ['no algorithms', { algorithms: undefined }, /algorithms is undefined\. List/],
    ['empty algorithms', { algorithms: [] }, /algorithms is \[\]/],
    ['algorithms none', { algorithms: ['RS256', 'none'] }, /'none', which is no signature\. Write/],
    ['algorithms that mix secrets and public keys', { algorithms: ['HS256', 'RS256'] }, /mixes HMAC and public keys/],
    ['no issuer', { issuer: undefined }, /issuer is undefined\. Write issuer: '…', or else dangerouslyAnyIssuer: true/],
    ['no audience', { audience: undefined }, /audience is undefined\. Write/],
    ['empty audience', { audience: '' }, /audience is ""/],
    ['empty list of issuers', { issuer: [] }, /issuer is \[\]/],
    ['issuer and any issuer', { dangerouslyAnyIssuer: true }, /issuer is "https/],
    ['neither key nor jwks', { key: undefined }, /exactly one must be given/],
    ['key and jwks', { jwks: 'https://a.example' }, /exactly one must be given/],
    ['key as text', { key: 'pem' }, /key is a string\. Import it first/],
    ['short HMAC secret', { algorithms: ['HS256'], key: new Uint8Array(31) }, /key is 31 bytes/],
    ['bytes for a public key', { key: new Uint8Array(64) }, /key is 64 bytes for \["RS256"\]/],
    ['jwks over plain http', { key: undefined, jwks: 'http://issuer.example/jwks' }, /jwks is "http:.*Write an https/],
    ['jwks that is no URL', { key: undefined, jwks: 'jwks.json' }, /jwks is "jwks.json"/],
    ['jwks that is no set', { key: undefined, jwks: { key: [] } }, /jwks is no JSON Web Key Set/],
    [
      'HMAC from a published set',
      { key: undefined, jwks: 'https://a.example', algorithms: ['HS256'] },
      /published key is no secret/,
    ],
    ['no from', { from: undefined }, /from is undefined\. Write/],
    ['two sources', { from: { cookie: 'a', query: 'b' } }, /from is \{/],
    ['unknown source', { from: { body: 'a' } }, /from is \{"body"/],
    ['tolerance of 61 s', { clockTolerance: 61 }, /clockTolerance is 61\. Write seconds from 0 to 60/],
    ['tolerance below 0', { clockTolerance: -1 }, /clockTolerance is -1/],
    ['misspelt option', { audiense: 'x' }, /audiense is not an option\. Did you mean audience\?/],
    ['option of jsonwebtoken', { secret: 'x' }, /secret is not an option\. Did you mean key\?/],
    ['option of nobody', { maxTokenAge: 5 }, /maxTokenAge is not an option\. Known: key/],
    ['algorithm that there is not', { algorithms: ['RS265'] }, /holds "RS265", .*Did you mean 'RS256'\?/],
    ['algorithm in lower case', { algorithms: ['rs256'] }, /Did you mean 'RS256'\?/],
    ['key that is still to come', { key: Promise.resolve(pair.publicKey) }, /key is a Promise\. Await it/],
    ['key that is null', { key: null }, /key is null\. Import it/],
    ['key that is a JWK', { key: { kty: 'RSA' } }, /key is a JWK\. Write jwks: \{ keys/],
    ['private key', { key: pair.privateKey }, /is a private key, which signs\. Give the public one/],
    ['public key for HMAC', { algorithms: ['HS256'] }, /is a public key, and algorithms are HMAC/],
    [
      'secret for public keys',
      { key: createSecretKey(Buffer.alloc(32, 7)) },
      /is a secret, and algorithms are asymmetric\. Write algorithms: \['HS256'\]/,
    ],
    [
      'short secret in a key object',
      { algorithms: ['HS256'], key: createSecretKey(Buffer.alloc(31, 7)) },
      /is a secret of 31 bytes\. Give one of 32/,
    ],
    ['set without a key', { key: undefined, jwks: { keys: [] } }, /jwks holds no key/],
    [
      'danger as text',
      { dangerouslyWithoutExpiry: 'false' },
      /dangerouslyWithoutExpiry is "false"\. Write true or false/,
    ],
    ['type that is empty', { type: '' }, /type is ""\. Write the typ/],
    ['header with a space', { from: { header: 'a b' } }, /from is \{"header":"a b"\}\. Write/],
    ['tolerance of null', { clockTolerance: null }, /clockTolerance is null/],
    ['issuer that is a bigint', { issuer: 5n }, /issuer is a bigint\. Write issuer/],
    ['issuer that is still to come', { issuer: Promise.resolve('x') }, /issuer is a Promise/],
  ]
  for (const [name, change, message] of misuse) {
    it(`misuse: ${name}`, () => {
      assert.throws(() => jwt({ ...OPTIONS, ...change } as never), { name: 'TypeError', message })
    })
  }
  for (const options of [undefined, null, 5, 'RS256', [], Promise.resolve(OPTIONS)]) {
    it(`misuse: ${show(options)} as options`, () => {
      assert.throws(() => jwt(options as never), { name: 'TypeError', message: /^jwt: the options are .*Write jwt\(/ })
    })
  }
  it('a tolerance of 0 and of 60 s, and an HMAC secret of 32 bytes, are taken', async () => {
    for (const clockTolerance of [0, 60]) assert.equal(typeof jwt({ ...OPTIONS, clockTolerance }), 'function')
    const key = new Uint8Array(32).fill(7)
    const token = await make({ header: { alg: 'HS256' }, key })
    assert.equal((await jwt({ ...OPTIONS, algorithms: ['HS256'], key })(bearer(token)))?.user, 'alice')
  })

  describe('key sets', () => {
    let server: Server
    let url: string
    let answer: () => { status: number; body: string }
    before(async () => {
      const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256' }
      answer = () => ({ status: 200, body: JSON.stringify({ keys: [jwk] }) })
      server = createServer((_, response) => {
        const { status, body } = answer()
        response.writeHead(status).end(body)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    })
    after(() => {
      server.closeAllConnections()
      server.close()
    })
    const remote = () => {
      const { key: _, ...rest } = OPTIONS
      return jwt({ ...rest, jwks: url })
    }

    it('a known kid is found, an unknown one is nobody', async () => {
      const found = remote()
      assert.equal((await found(bearer(await make({ header: { kid: 'k1' } }))))?.user, 'alice')
      assert.equal(await found(bearer(await make({ header: { kid: 'k2' } }))), null)
      assert.equal(await found(bearer(await make({ header: { kid: 'k1' }, key: other.privateKey }))), null)
    })
    it('a local set works alike', async () => {
      const { key: _, ...rest } = OPTIONS
      const local = jwt({
        ...rest,
        jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256' }] },
      })
      assert.equal((await local(bearer(await make({ header: { kid: 'k1' } }))))?.user, 'alice')
      assert.equal(await local(bearer(await make({ header: { kid: 'k2' } }))), null)
    })
    const down: readonly [string, () => { status: number; body: string }][] = [
      ['answers 500', () => ({ status: 500, body: '{}' })],
      ['answers no JSON', () => ({ status: 200, body: '<html>' })],
      ['answers JSON that is no key set', () => ({ status: 200, body: '{"keys":{}}' })],
    ]
    for (const [name, broken] of down) {
      it(`a key server that ${name} throws: never anonymous, never a 401`, async () => {
        const good = answer
        answer = broken
        try {
          await assert.rejects(async () => remote()(bearer(await make({ header: { kid: 'k1' } }))), SessionUnavailable)
        } finally {
          answer = good
        }
      })
    }
    it('a key server that refuses the connection throws', async () => {
      const gone = createServer()
      gone.listen(0, '127.0.0.1')
      await once(gone, 'listening')
      const { port } = gone.address() as AddressInfo
      gone.close()
      await once(gone, 'close')
      const { key: _, ...rest } = OPTIONS
      const lost = jwt({ ...rest, jwks: `http://127.0.0.1:${port}/jwks` })
      await assert.rejects(async () => lost(bearer(await make({ header: { kid: 'k1' } }))), SessionUnavailable)
    })
    it('a key function is asked with the header; one that fails throws', async () => {
      const { key: _, ...rest } = OPTIONS
      const asked = jwt({ ...rest, key: header => (header?.kid === 'k1' ? pair.publicKey : other.publicKey) })
      assert.equal((await asked(bearer(await make({ header: { kid: 'k1' } }))))?.user, 'alice')
      assert.equal(await asked(bearer(await make({ header: { kid: 'k2' } }))), null)
      const failing = jwt({ ...rest, key: () => Promise.reject(new Error('vault down')) })
      await assert.rejects(async () => failing(bearer(await make())), SessionUnavailable)
    })
  })
})
