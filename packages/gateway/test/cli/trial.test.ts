import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { tryTicketSecrets } from 'sallyport/internal'
import { goodConfig, SECRET } from '../config/good-config.ts'
import { cli } from '../runtime/gateway-process.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-trial-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** Hides a package from the process, as where it is not installed. */
const without = (name: string): string =>
  `import { registerHooks } from 'node:module'
registerHooks({ resolve(specifier, context, next) {
  if (specifier === '${name}') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(specifier, context)
} })`

function run(
  command: 'check' | 'run',
  change: (config: any) => void,
  hidden?: string,
): { code: number | null; text: string } {
  const config = goodConfig()
  change(config)
  const path = write('gateway.yaml', JSON.stringify(config))
  const [program, args] = cli([command, '-c', path])
  const hooks = hidden === undefined ? [] : ['--import', write('hooks.mjs', without(hidden))]
  const { status, stdout, stderr } = spawnSync(program, [...hooks, ...args], { encoding: 'utf8', timeout: 60_000 })
  return { code: status, text: stdout + stderr }
}

const pair = (type: 'rsa' | 'ec' | 'ed25519'): { readonly open: string; readonly own: string } => {
  const { publicKey, privateKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519')
  return {
    open: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    own: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}
const RSA = pair('rsa')
const EC = pair('ec')
const ED = pair('ed25519')

const identity = (key: string, algorithm: string) => (config: any) => {
  config.routes.chat.relay = { identity: { jwt: { key, algorithm, audience: 'chat' } } }
}
const jwt = (given: object) => (config: any) => {
  config.routes.chat.session = {
    jwt: { issuer: 'https://issuer.example', audience: 'chat', cookie: 'token', ...given },
  }
}
const tls = (cert: string, key: string) => (config: any) => {
  config.listeners.public.tls = { cert: write('cert.pem', cert), key: write('key.pem', key) }
}
const ca = (text: string) => (config: any) => {
  config.upstreams.app.targets = ['wss://127.0.0.1:9000']
  config.upstreams.app.tls = { ca: `file:${write('ca.pem', text)}` }
}

describe('check tries every key', () => {
  const bad: readonly (readonly [name: string, change: (config: any) => void, message: RegExp])[] = [
    [
      'a key of another certificate',
      tls(CERTIFICATE, EC.own),
      /listeners\.public\.tls {2}the key is not that of the certificate/,
    ],
    ['the two files swapped', tls(KEY, CERTIFICATE), /not PEM, or they are swapped/],
    [
      'a key that is encrypted',
      tls(
        CERTIFICATE,
        createPrivateKey(KEY).export({ type: 'pkcs8', format: 'pem', cipher: 'aes256', passphrase: 'x' }) as string,
      ),
      /the key is encrypted[^]*openssl pkey/,
    ],
    [
      'text that is no certificate',
      tls('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', KEY),
      /listeners\.public\.tls/,
    ],
    ['text that is no key', tls(CERTIFICATE, 'hello'), /listeners\.public\.tls/],
    ['a CA that is a private key', ca(KEY), /upstreams\.app\.tls\.ca {2}entry 1 of 1 is no certificate/],
    [
      'a second CA that is broken',
      ca(`${CERTIFICATE}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`),
      /entry 2 of 2/,
    ],
    ['a CA that is cut off', ca(CERTIFICATE.slice(0, 200)), /entry 1 of 1 is no certificate/],
    [
      'an identity by ES256 with an RSA key',
      identity(RSA.own, 'ES256'),
      /identity\.jwt\.key {2}a JWT that it signs by ES256 cannot be verified/,
    ],
    [
      'an identity by RS256 with an EC key',
      identity(EC.own, 'RS256'),
      /a JWT that it signs by RS256 cannot be verified/,
    ],
    [
      'an identity by EdDSA with a public key',
      identity(ED.open, 'EdDSA'),
      /a JWT that it signs by EdDSA cannot be verified/,
    ],
    [
      'a JWT by RS256 with an EC key',
      jwt({ secret: EC.open, algorithms: ['RS256'] }),
      /session\.jwt.* no key here verifies RS256/,
    ],
    [
      'a JWT of which one algorithm has no key',
      jwt({ secret: RSA.open, algorithms: ['RS256', 'EdDSA'] }),
      /no key here verifies EdDSA/,
    ],
    [
      'a key set without a key',
      jwt({ jwks: 'file:KEYS', algorithms: ['RS256'] }),
      /no key here verifies RS256|cannot be read|keys/,
    ],
  ]
  for (const [name, change, message] of bad) {
    test(`${name} is a problem`, () => {
      const { code, text } = run('check', config => {
        change(config)
        const session = config.routes.chat.session.jwt
        if (session?.jwks === 'file:KEYS') session.jwks = `file:${write('keys.json', '{"keys":[]}')}`
      })
      assert.equal(code, 1, text)
      assert.match(text, message)
      assert.equal(/AAAA|BEGIN/.test(text), false, text)
    })
  }

  const good: readonly (readonly [name: string, change: (config: any) => void])[] = [
    ['a certificate and its key', tls(CERTIFICATE, KEY)],
    ['two CAs', ca(CERTIFICATE + CERTIFICATE)],
    ['an identity by RS256', identity(RSA.own, 'RS256')],
    ['an identity by ES256', identity(EC.own, 'ES256')],
    ['an identity by EdDSA', identity(ED.own, 'EdDSA')],
    ['an identity by HS256', identity(SECRET, 'HS256')],
    ['a JWT by HS256', jwt({ secret: SECRET, algorithms: ['HS256'] })],
    ['a JWT by RS256 and PS256', jwt({ secret: RSA.open, algorithms: ['RS256', 'PS256'] })],
    ['a JWT by ES256', jwt({ secret: EC.open, algorithms: ['ES256'] })],
    ['a JWT by EdDSA', jwt({ secret: ED.open, algorithms: ['EdDSA'] })],
    ['a key set at a URL, which nobody asks', jwt({ jwks: 'https://issuer.invalid/keys', algorithms: ['RS256'] })],
    [
      'a signed cookie and an older secret',
      config =>
        (config.routes.chat.session = { signedCookie: { cookie: 'sid', secrets: [SECRET, `older ${SECRET}`] } }),
    ],
    ['two ticket secrets', config => (config.routes.chat.handshake.ticket = { secret: [SECRET, `older ${SECRET}`] })],
    ['a Redis that is not asked', config => (config.store = { redis: { url: 'redis://127.0.0.1:1', secret: SECRET } })],
  ]
  for (const [name, change] of good) {
    test(`${name} is none`, () => {
      const { code, text } = run('check', change)
      assert.equal(code, 0, text)
    })
  }
})

describe('check loads what the file needs', () => {
  const store = (config: any): void => {
    config.store = { redis: { url: 'redis://127.0.0.1:1', secret: SECRET } }
  }
  for (const command of ['check', 'run'] as const) {
    test(`${command}: store.redis without its package is a problem with the command to install it`, () => {
      const { code, text } = run(command, store, 'redis')
      assert.equal(code, 1, text)
      assert.match(text, /gateway\.yaml:1:\d+ {2}store\.redis {2}it needs the package redis .*\n.*npm install redis/)
    })
  }
  test('without store.redis nobody needs the package', () => {
    assert.equal(run('check', () => undefined, 'redis').code, 0)
  })
})

test('tickets of every secret are redeemed by all; of one that is too short none is', async () => {
  assert.deepEqual(await tryTicketSecrets([SECRET.repeat(2), 'x'.repeat(32)]), [])
  assert.deepEqual(await tryTicketSecrets([]), [])
  assert.deepEqual(await tryTicketSecrets([SECRET.repeat(2), 'short']), [0, 1])
})
