import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { SignJWT } from 'jose'
import type { SessionResolver } from 'sallyport'
import type { JwtConfig } from '../../src/model/config.ts'
import { resolverOf } from '../../src/session/resolver.ts'
import { SECRET } from '../config/good-config.ts'
import { fakeRequest } from './fake-request.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string
const jwk = pair.publicKey.export({ format: 'jwk' })

const jwtConfig = (over: Partial<JwtConfig>): JwtConfig => ({
  kind: 'jwt',
  jwks: null,
  secret: null,
  algorithms: ['ES256'],
  issuer: 'issuer',
  audience: 'gateway',
  cookie: 'token',
  header: null,
  ...over,
})

const token = (
  key: Parameters<SignJWT['sign']>[0],
  alg: string,
  over: { issuer?: string; audience?: string; exp?: string } = {},
): Promise<string> =>
  new SignJWT({ sid: 's1' })
    .setProtectedHeader({ alg, kid: 'k1' })
    .setSubject('alice')
    .setIssuer(over.issuer ?? 'issuer')
    .setAudience(over.audience ?? 'gateway')
    .setIssuedAt()
    .setExpirationTime(over.exp ?? '1h')
    .sign(key)

describe('a JWT is verified by the key that the file names', () => {
  const rows: readonly [name: string, config: Partial<JwtConfig>][] = [
    ['PEM', { secret: pem }],
    ['JWK', { secret: JSON.stringify(jwk) }],
    ['a key set', { jwks: JSON.stringify({ keys: [{ ...jwk, kid: 'k1', alg: 'ES256' }] }) }],
  ]
  for (const [name, config] of rows) {
    test(name, async () => {
      const find = resolverOf(jwtConfig(config)) as SessionResolver
      const good = await find(fakeRequest([['Cookie', `token=${await token(pair.privateKey, 'ES256')}`]]))
      assert.equal(good?.user, 'alice')
      assert.equal(good?.id, 's1')
      const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      for (const bad of [
        await token(stranger, 'ES256'),
        await token(pair.privateKey, 'ES256', { issuer: 'other' }),
        await token(pair.privateKey, 'ES256', { audience: 'other' }),
        await token(pair.privateKey, 'ES256', { exp: '-1h' }),
        // The public key taken for an HMAC secret.
        await token(new TextEncoder().encode(pem), 'HS256'),
        'x.y.z',
      ]) {
        assert.equal(await find(fakeRequest([['Cookie', `token=${bad}`]])), null)
      }
    })
  }
  test('an HMAC secret, from the Authorization header', async () => {
    const find = resolverOf(
      jwtConfig({ secret: SECRET, algorithms: ['HS256'], cookie: null, header: 'Authorization' }),
    ) as SessionResolver
    const signed = await token(new TextEncoder().encode(SECRET), 'HS256')
    assert.equal((await find(fakeRequest([['Authorization', `Bearer ${signed}`]])))?.user, 'alice')
    assert.equal(await find(fakeRequest([['Cookie', `token=${signed}`]])), null)
    assert.equal(find.ambient, false)
  })
})

test('a cookie signed as Express does is session and user; a forged or endless one is nobody', async () => {
  const find = resolverOf({ kind: 'signedCookie', cookie: 'sid', secrets: [SECRET] }) as SessionResolver
  const signed = (value: string, secret = SECRET): string =>
    `sid=${encodeURIComponent(`s:${value}.${createHmac('sha256', secret).update(value).digest('base64').replace(/=+$/, '')}`)}`
  const ask = async (cookie: string): Promise<unknown> =>
    find(fakeRequest([['Cookie', cookie]], { cookie: () => decodeURIComponent(cookie.slice(4)) }))
  assert.deepEqual(await ask(signed('u1')), { id: 'u1', user: 'u1' })
  assert.equal(await ask(signed('u1', `${SECRET}x`)), null)
  assert.equal(await ask('sid=u1'), null)
  assert.equal(await ask(signed('x'.repeat(513))), null)
  assert.deepEqual(await ask(signed('x'.repeat(512))), { id: 'x'.repeat(512), user: 'x'.repeat(512) })
})

test('anonymous is anonymous by name', () => {
  assert.deepEqual(resolverOf({ kind: 'anonymous' }), { dangerouslyAnonymous: true })
})
