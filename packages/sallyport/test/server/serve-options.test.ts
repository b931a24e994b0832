import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { serve } from '../../src/server/serve.ts'
import { requireServeOptions } from '../../src/server/serve-options.ts'

const rest = { guard: {}, port: 8443, handlers: {} }

const MISTAKES: readonly (readonly [name: string, options: object, message: RegExp])[] = [
  ['a misspelt option', { ...rest, handler: {} }, /'handler'; did you mean handlers\?/],
  [
    'an option of another library',
    { ...rest, verifyClient: true },
    /createGuard\(\{ … handshake: \{ authorize.*there are guard, port/,
  ],
  ['a bound of another library', { ...rest, maxPayload: 5 }, /createGuard\(\{ … message: \{ size: \{ bytes/],
  ['an app of Express under its own name', { ...rest, app() {} }, /unknown option 'app'; write request: app/],
  ['a certificate beside tls', { ...rest, cert: CERTIFICATE }, /'cert'; write tls: \{ key, cert \}/],
  ['a policy instead of its guard', { ...rest, policy: {} }, /'policy'; write guard: createGuard\(policy\)/],
  ['an option of nobody', { ...rest, colour: 1 }, /unknown option 'colour'; there are guard, port/],
  ['no port', { guard: {}, handlers: {} }, /port is nothing; .* 0 for a free one/],
  ['a port from the environment, as text', { ...rest, port: '8443' }, /port is '8443'/],
  ['port -1', { ...rest, port: -1 }, /port is -1/],
  ['port 65536', { ...rest, port: 65_536 }, /port is 65536/],
  ['half a port', { ...rest, port: 80.5 }, /port is 80\.5/],
  ['an empty host', { ...rest, host: '' }, /host is ''; write a name/],
  ['a host with its port', { ...rest, host: 'localhost:8443' }, /host is 'localhost:8443'; .*without scheme and port/],
  ['a host that is a URL', { ...rest, host: 'https://localhost' }, /host is 'https:/],
  ['TLS that is still to come', { ...rest, tls: Promise.resolve({}) }, /tls is a Promise; await it/],
  ['a host that is a number', { ...rest, host: 0 }, /host is 0; write a name or an address alone/],
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
    'TLS with an invalid key: it is not shown',
    { ...rest, tls: { key: 's3cr3t', cert: CERTIFICATE } },
    /^(?!.*s3cr3t).*tls\.key/,
  ],
  ['TLS that is true', { ...rest, tls: true }, /no certificate/],
  ['an open that is no function', { ...rest, open: 'log' }, /open is a string/],
]

for (const [name, options] of [
  ['nothing', undefined],
  ['null', null],
  ['a port alone', 8443],
  ['a list', [rest]],
  ['options that are still to come', Promise.resolve(rest)],
] as const) {
  test(`serve: ${name} is an error that says what to write`, async () => {
    await assert.rejects(serve(options as never), {
      name: 'TypeError',
      message: /^serve: the options are .*(?:write serve\(\{ guard, port: 8443|await it first)/,
    })
  })
}

for (const [name, guard, what] of [
  ['nothing', undefined, /guard is nothing, which createGuard\(\) did not make/],
  ['a policy', { handshake: {} }, /guard is an object, .*give what createGuard\(\) returned/],
  ['a guard that is still to come', Promise.resolve({}), /guard is a Promise, .*await it first/],
] as const) {
  test(`serve: ${name} as guard is an error`, async () => {
    await assert.rejects(serve({ ...rest, guard } as never), { name: 'TypeError', message: what })
  })
}

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
  { ...rest, host: '::1' },
  { ...rest, host: 'fe80::1%eth0' },
  { ...rest, host: '127.0.0.1' },
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
