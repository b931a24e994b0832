import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { requireServeOptions } from '../../src/server/serve-options.ts'

const rest = { guard: {}, port: 8443, handlers: {} }

const MISTAKES: readonly (readonly [name: string, options: object, message: RegExp])[] = [
  ['a misspelt option', { ...rest, handler: {} }, /'handler'; did you mean handlers\?/],
  ['an option of another library', { ...rest, verifyClient: true }, /there are guard, port/],
  ['no port', { guard: {}, handlers: {} }, /port is nothing; .* 0 for a free one/],
  ['a port from the environment, as text', { ...rest, port: '8443' }, /port is '8443'/],
  ['port -1', { ...rest, port: -1 }, /port is -1/],
  ['port 65536', { ...rest, port: 65_536 }, /port is 65536/],
  ['half a port', { ...rest, port: 80.5 }, /port is 80\.5/],
  ['a host that is a number', { ...rest, host: 0 }, /host is a number/],
  ['a path without its slash: no handshake has it', { ...rest, path: 'ws' }, /path is 'ws'; .*'\/ws'/],
  ['a path with a query', { ...rest, path: '/ws?a=1' }, /begins with a slash/],
  ['an empty ticket path: it would be every path', { ...rest, ticketPath: '' }, /ticketPath is ''/],
  ['a ticket path that is true', { ...rest, ticketPath: true }, /ticketPath is true/],
  ['TLS of nothing: no handshake would ever end', { ...rest, tls: {} }, /no certificate; give \{ key, cert \}/],
  ['TLS with an empty certificate', { ...rest, tls: { cert: '' } }, /no certificate/],
  [
    'TLS with the name of a file',
    { ...rest, tls: { key: KEY, cert: 'cert.pem' } },
    /tls\.cert is no PEM; .*readFileSync/,
  ],
  [
    'TLS with a key that is none: it is not shown',
    { ...rest, tls: { key: 's3cr3t', cert: CERTIFICATE } },
    /^(?!.*s3cr3t).*tls\.key/,
  ],
  ['TLS that is true', { ...rest, tls: true }, /no certificate/],
  ['an open that is no function', { ...rest, open: 'log' }, /open is a string/],
]

for (const [name, options, message] of MISTAKES) {
  test(`serve: ${name} is an error at start`, () => {
    assert.throws(
      () => requireServeOptions(options),
      (error: unknown) => error instanceof TypeError && message.test(error.message),
    )
  })
}

for (const options of [
  rest,
  { ...rest, port: 0 },
  { ...rest, port: 65_535 },
  { ...rest, path: '/' },
  { ...rest, ticketPath: false },
  { ...rest, tls: { key: KEY, cert: CERTIFICATE } },
  { ...rest, tls: { key: Buffer.from(KEY), cert: [CERTIFICATE] } },
  { ...rest, tls: { pfx: 'p' } },
  { ...rest, tls: { SNICallback() {} } },
  { ...rest, host: undefined, open: undefined, tls: undefined },
]) {
  test(`serve: ${JSON.stringify(options).slice(0, 80)} is taken`, () =>
    assert.doesNotThrow(() => requireServeOptions(options)))
}
