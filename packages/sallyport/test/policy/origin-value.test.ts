import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy } from '../../src/policy/parse.ts'
import { policyWith } from './honest-policy.ts'
import { problemsOf } from './problems-of.ts'

type Fault = readonly [name: string, origin: unknown, shown: string, message: RegExp, nearest?: string]
const MOZ = 'moz-extension://0b2fcbcc-2f2e-4b8b-9d31-4ab0f0d4a6c1'
const CHROME = `chrome-extension://${'abcdefghijklmnop'.repeat(2)}`

// biome-ignore format: a table is read by its rows
const FAULTS: readonly Fault[] = [
  ['wildcard', '*', "'*'", /wildcard/],
  ['wildcard subdomain', 'https://*.company.com', "'https://*.company.com'", /subdomain/],
  ['trailing slash', 'https://app.company.com/', "'https://app.company.com/'", /trailing slash/, 'https://app.company.com'],
  ['path', 'https://app.company.com/chat', "'https://app.company.com/chat'", /path/, 'https://app.company.com'],
  ['query', 'https://app.company.com?token=hunter2', "'https://app.company.com?…'", /query/, 'https://app.company.com'],
  ['query behind a slash', 'https://app.company.com/?a', "'https://app.company.com/?…'", /query/, 'https://app.company.com'],
  ['fragment', 'https://app.company.com#hunter2', "'https://app.company.com#…'", /fragment/, 'https://app.company.com'],
  ['upper case host', 'https://App.company.com', "'https://App.company.com'", /upper case/, 'https://app.company.com'],
  ['upper case scheme', 'HTTPS://app.company.com', "'HTTPS://app.company.com'", /upper case/, 'https://app.company.com'],
  ['default port of https', 'https://app.company.com:443', "'https://app.company.com:443'", /default port/, 'https://app.company.com'],
  ['default port of http', 'http://localhost:80', "'http://localhost:80'", /default port/, 'http://localhost'],
  ['port with a leading zero', 'https://app.company.com:08443', "'https://app.company.com:08443'", /form/, 'https://app.company.com:8443'],
  ['port out of range', 'https://app.company.com:65536', "'https://app.company.com:65536'", /port is invalid/],
  ['ws:', 'ws://localhost:3000', "'ws://localhost:3000'", /of the page/, 'http://localhost:3000'],
  ['wss:', 'wss://app.company.com', "'wss://app.company.com'", /of the page/, 'https://app.company.com'],
  ['no scheme', 'app.company.com', "'app.company.com'", /scheme is missing/, 'https://app.company.com'],
  ['no scheme, a port', 'localhost:3000', "'localhost:3000'", /scheme is missing/, 'http://localhost:3000'],
  ['no scheme, an address of this machine', '127.0.0.1:80', "'127.0.0.1:80'", /scheme is missing/, 'http://127.0.0.1'],
  ['one slash', 'https:/app.company.com', "'https:/app.company.com'", /not an origin/, 'https://app.company.com'],
  ['trailing slash beyond this machine, plain', 'http://app.company.com/', "'http://app.company.com/'", /trailing slash/, 'https://app.company.com'],
  ['null as text', 'null', "'null'", /sandboxed/],
  ['null', null, 'null', /unset/],
  ['an unset variable', undefined, 'nothing', /unset/],
  ['RegExp', /company\.com/, 'a RegExp', /patterns/],
  ['URL object', new URL('https://app.company.com'), 'a URL', /text/, 'https://app.company.com'],
  ['number', 443, 'a number', /text/],
  ['empty text', '', "''", /empty/],
  ['credentials', 'https://admin:hunter2@app.company.com', "'https://…@app.company.com'", /credentials/],
  ['credentials that look like the host', 'https://app.company.com@evil.example', "'https://…@evil.example'", /credentials/],
  ['Unicode host', 'https://bücher.example', "'https://bücher.example'", /punycode/, 'https://xn--bcher-kva.example'],
  ['homograph host', 'https://аpp.company.com', "'https://аpp.company.com'", /punycode/, 'https://xn--pp-6kc.company.com'],
  ['plain http', 'http://app.company.com', "'http://app.company.com'", /network/, 'https://app.company.com'],
  ['localhost as a subdomain of another', 'http://localhost.evil.example', "'http://localhost.evil.example'", /network/, 'https://localhost.evil.example'],
  ['a name that only ends in localhost', 'http://evillocalhost', "'http://evillocalhost'", /network/, 'https://evillocalhost'],
  ['127 as a label', 'http://127.0.0.1.evil.example', "'http://127.0.0.1.evil.example'", /network/, 'https://127.0.0.1.evil.example'],
  ['file:', 'file:///etc/passwd', "'file:///etc/passwd'", /pages have no origin/],
  ['an app scheme', 'capacitor://localhost', "'capacitor://localhost'", /pages have no origin/],
  ['extension of any id', 'chrome-extension://*', "'chrome-extension://*'", /wildcard/],
  ['extension without id', 'chrome-extension://', "'chrome-extension://'", /id of an extension/],
  ['extension with an id of Firefox', CHROME.replace('chrome', 'moz'), `'${CHROME.replace('chrome', 'moz')}'`, /id of an extension/],
  ['extension with a path', `${MOZ}/page`, `'${MOZ}/page'`.slice(0, 62).replace(/'$/, "'"), /id of an extension/],
  ['extension id with a letter beyond p', CHROME.replace(/p$/, 'q'), `'${CHROME.replace(/p$/, 'q')}'`, /id of an extension/],
  ['leading dot for all subdomains', 'https://.company.com', "'https://.company.com'", /leading dot/],
  ['leading dot before a port', 'https://.company.com:8443', "'https://.company.com:8443'", /leading dot/],
  ['empty label', 'https://app..company.com', "'https://app..company.com'", /empty label/],
  ['trailing dot', 'https://app.company.com.', "'https://app.company.com.'", /trailing dot/, 'https://app.company.com'],
  ['trailing dot before a port', 'https://app.company.com.:8443', "'https://app.company.com.:8443'", /trailing dot/, 'https://app.company.com:8443'],
  ['white space around', ' https://app.company.com', "' https://app.company.com'", /white space/, 'https://app.company.com'],
  ['a line break at the end', 'https://app.company.com\n', "'https://app.company.com\\u{a}'", /white space/, 'https://app.company.com'],
  ['a zero-width space', 'https://app\u200B.company.com', "'https://app\\u{200b}.company.com'", /white space/, 'https://app.company.com'],
  ['two in one text', 'https://a.example,https://b.example', "'https://a.example,https://b.example'", /several/],
  ['backslash', 'https:\\\\app.company.com', "'https:\\\\app.company.com'", /not an origin/],
  ['backslash behind the scheme', 'https://app.company.com\\.evil.example', "'https://app.company.com\\.evil.example'", /backslash/],
  ['percent-encoding', 'https://app%2ecompany.com', "'https://app%2ecompany.com'", /form/, 'https://app.company.com'],
  ['number as IPv4', 'https://2130706433', "'https://2130706433'", /form/, 'https://127.0.0.1'],
  ['IPv6 in long form', 'https://[0:0:0:0:0:0:0:1]', "'https://[0:0:0:0:0:0:0:1]'", /form/, 'https://[::1]'],
  ['javascript:', 'javascript:alert(1)', "'javascript:alert(1)'", /not an origin/],
]

for (const [name, origin, shown, message, nearest] of FAULTS) {
  test(`origin refused: ${name}`, () => {
    const [problem, ...more] = problemsOf(
      policyWith({ 'handshake.origin': { allow: ['https://fine.example', origin] } }),
    )
    assert.equal(more.length, 0)
    assert.equal(problem?.path, 'handshake.origin.allow[1]')
    if (shown.length <= 62) assert.equal(problem?.value, shown)
    assert.match(problem?.message, message)
    assert.notEqual(problem?.remedy, '')
    assert.equal(problem?.nearest, nearest)
    assert.ok(!JSON.stringify(problem).includes('hunter2'))
  })
  // Whatever is proposed must itself be accepted: an error that leads to the next error teaches nothing.
  if (nearest !== undefined) {
    test(`origin proposed for: ${name}`, () => {
      const insecure = { allow: [nearest], dangerouslyAllowInsecure: true }
      assert.deepEqual(problemsOf(policyWith({ 'handshake.origin': insecure })), [])
    })
  }
}

const FINE = [
  'https://app.company.com',
  'https://app.company.com:8443',
  'https://xn--bcher-kva.example',
  'https://a_b.example',
  'https://192.0.2.1',
  'https://[2001:db8::1]:8443',
  'http://localhost',
  'http://localhost:3000',
  'http://app.localhost:3000',
  'http://127.0.0.1:3000',
  'http://127.255.255.254',
  'http://[::1]:3000',
  MOZ,
  CHROME,
]
for (const origin of FINE) {
  test(`origin accepted: ${origin}`, () => {
    const policy = parsePolicy(
      policyWith({ 'handshake.origin': { allow: [origin] }, 'handshake.host': { allow: ['a.example'] } }),
    )
    assert.deepEqual(policy.handshake.origin, { allow: [origin], allowMissing: false })
    assert.deepEqual(policy.weakened, [])
  })
}

test('origins twice in the list are there once', () => {
  const allow = ['https://a.example', 'https://b.example', 'https://a.example']
  assert.deepEqual(
    parsePolicy(policyWith({ 'handshake.origin': { allow } })).handshake.origin?.allow,
    allow.slice(0, 2),
  )
})

test('http: beyond loopback is accepted by name, and noted', () => {
  const origin = { allow: ['http://intranet.example'], dangerouslyAllowInsecure: true }
  const policy = parsePolicy(policyWith({ 'handshake.origin': origin }))
  assert.deepEqual(policy.handshake.origin?.allow, ['http://intranet.example'])
  assert.deepEqual(policy.weakened, [
    { path: 'handshake.origin.dangerouslyAllowInsecure', control: 'handshake/origin' },
  ])
})

test('an extension names no host that could be served', () => {
  const [problem] = problemsOf(policyWith({ 'handshake.origin': { allow: [MOZ] } }))
  assert.equal(problem?.path, 'handshake.host.allow')
})
