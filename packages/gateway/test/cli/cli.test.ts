import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { commandLine } from '../../src/cli/command-line.ts'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { STARTER } from '../../src/cli/init.ts'
import { cli } from '../runtime/gateway-process.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const TICKET_SECRET = 'q8Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X'
const ADMIN_TOKEN = 'Zk3v9Qm1pR7tX5yB2nL8cW4dF6gH0jSa'

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The command line as a process. */
function runProcess(args: readonly string[]): Ran {
  const [command, all] = cli(args)
  const { status, stdout, stderr } = spawnSync(command, all, { cwd: folder, encoding: 'utf8', timeout: 60_000 })
  return { code: status, out: stdout, err: stderr }
}

/** The same within this process. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const told = { out: '', err: '' }
  Object.assign(process.env, { TICKET_SECRET, ADMIN_TOKEN }, env)
  const code = await commandLine(args, {
    colour: false,
    out: text => void (told.out += `${text}\n`),
    err: text => void (told.err += `${text}\n`),
    paint: (_, text) => text,
  })
  return { code, ...told }
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** `explain` of a handshake that the starter serves. */
function explaining(...more: readonly string[]): string[] {
  return ['explain', '-c', file('good.yaml', STARTER), '--host', 'app.example.com', '--path', '/ws', ...more]
}

const WEAK = STARTER.replace(
  'origin: { allow: [https://app.example.com] }',
  'origin: { allow: [https://app.example.com], dangerouslyAllowMissing: true }',
)
const PLAIN = STARTER.replace('ws://127.0.0.1:9000', 'ws://backend:9000')
const ACCEPTED = PLAIN.replace(
  'targets: [ws://backend:9000]',
  'targets: [ws://backend:9000]\n    dangerouslyAllowPlaintext: a network of their own',
)
const REPORTING = STARTER.replace('    message:\n', '    report: true\n    message:\n')

describe('exit codes: 0 well, 1 problems, 2 usage', () => {
  const rows: readonly [name: string, args: () => readonly string[], code: number, told: RegExp][] = [
    ['no command', () => [], 2, /sallyport-gateway COMMAND/],
    ['help', () => ['--help'], 0, /explain/],
    ['version', () => ['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    ['an unknown command: those that there are', () => ['serve'], 2, /no command 'serve'[^]*COMMAND \[options\]/],
    ['a misspelt command', () => ['chekc'], 2, /did you mean check/],
    ['a command of objects', () => ['constructor'], 2, /no command/],
    ['help of a command', () => ['check', '--help'], 0, /--strict/],
    ['a misspelt option', () => ['check', '--stric'], 2, /did you mean --strict/],
    ['an option without its value', () => ['check', '--config'], 2, /argument/],
    ['an argument too many', () => ['check', 'x'], 2, /one argument too many/],
    ['check of no file', () => ['check', '-c', '/none.yaml'], 1, /none\.yaml:1:1.*cannot be read \(ENOENT\)/],
    ['check of a good file', () => ['check', '-c', file('good.yaml', STARTER)], 0, /no problem, 0 weakened/],
    ['check --strict of a good file', () => ['check', '--strict', '-c', file('good.yaml', STARTER)], 0, /no problem/],
    [
      'check of a weakened file',
      () => ['check', '-c', file('weak.yaml', WEAK)],
      0,
      /weakened {2}routes\.chat\.handshake\.origin\.dangerouslyAllowMissing: handshake\/origin is weakened \(touches/,
    ],
    ['check --strict of a weakened file', () => ['check', '--strict', '-c', file('weak.yaml', WEAK)], 1, /1 weakened/],
    [
      'check --strict of a plain upstream that nobody accepted',
      () => ['check', '--strict', '-c', file('plain.yaml', PLAIN)],
      1,
      /weakened {2}upstreams\.app: .*in clear to backend:9000.*dangerouslyAllowPlaintext\n.*, 1 weakened\n$/,
    ],
    [
      'check --strict of one that is accepted with a reason',
      () => ['check', '--strict', '-c', file('accepted.yaml', ACCEPTED)],
      0,
      /accepted {2}upstreams\.app: .*in clear to backend:9000; accepted because: a network of their own\n.*, 1 weakened, 1 of them accepted with a reason\n$/,
    ],
    [
      'check --strict of an accepted one beside a weakened one',
      () => [
        'check',
        '--strict',
        '-c',
        file(
          'beside.yaml',
          ACCEPTED.replace(
            'allow: [https://app.example.com]',
            'allow: [https://app.example.com], dangerouslyAllowMissing: true',
          ),
        ),
      ],
      1,
      /2 weakened, 1 of them/,
    ],
    [
      'check --strict of one that only reports',
      () => ['check', '--strict', '-c', file('report.yaml', REPORTING)],
      1,
      /only reports/,
    ],
    [
      'check of a broken file',
      () => ['check', '-c', file('broken.yaml', STARTER.replace('upstream: app', 'upstream: ap'))],
      1,
      /broken\.yaml:\d+:\d+ .*no such upstream/,
    ],
    [
      'run of a broken file',
      () => ['run', '-c', file('broken.yaml', STARTER.replace('upstream: app', 'upstream: ap'))],
      1,
      /no such upstream/,
    ],
    [
      'run with a certificate that is not there',
      () => [
        'run',
        '-c',
        file(
          'tls.yaml',
          STARTER.replace(
            'address: 127.0.0.1:8080',
            'address: 127.0.0.1:8080\n    tls: { cert: /none.pem, key: /none.key }',
          ),
        ),
      ],
      1,
      /ENOENT/,
    ],
    ['init over a file that is there', () => ['init', '-c', file('there.yaml', 'mine')], 1, /is there already/],
    ['import of nothing', () => ['import'], 2, /name the AsyncAPI document/],
    ['import of no file', () => ['import', '/none.yaml'], 1, /ENOENT/],
    [
      'import of what is none',
      () => ['import', file('empty.yaml', 'a: 1')],
      1,
      /^the document has 1 problem .*no AsyncAPI/s,
    ],
    ['explain of nothing', () => ['explain'], 2, /--host/],
    ['explain of an invalid path', () => ['explain', '--host', 'a', '--path', 'ws'], 2, /begins with a slash.*'ws'/],
    ['explain of a URL', () => ['explain', '--host', 'a', '--path', 'wss://a/ws'], 2, /begins with a slash/],
    [
      'explain for an invalid address',
      () => ['explain', '--host', 'a', '--path', '/ws', '--ip', 'somewhere'],
      2,
      /--ip is an IP address or unix:.*'somewhere'/,
    ],
    [
      'explain of a message behind a handshake that is denied',
      () => explaining('--message', '{}'),
      1,
      /SALLY_ORIGIN_MISSING[^]*\nmessage {4}never sent: its handshake is denied\n$/,
    ],
    ['explain with an invalid header', () => explaining('--header', 'x'), 2, /no header/],
  ]
  for (const [name, args, code, told] of rows) {
    test(name, async () => {
      const ran = await run(args())
      assert.match(ran.out + ran.err, told)
      assert.equal(ran.code, code)
      assert.doesNotMatch(ran.err, /node:internal|\.ts:\d+/)
    })
  }
})

test('init writes a file that check takes', async () => {
  const fresh = join(folder, 'fresh.yaml')
  assert.equal((await run(['init', '-c', fresh])).code, 0)
  assert.equal(readFileSync(fresh, 'utf8'), STARTER)
  assert.equal((await run(['check', '--strict', '-c', fresh])).code, 0)
})

test('a secret that will not do is not shown', async () => {
  const { err, code } = await run(['check', '-c', file('good.yaml', STARTER)], { TICKET_SECRET: 'hidden-value' })
  assert.equal(code, 1)
  assert.match(err, /\$\{TICKET_SECRET\}, hidden/)
  assert.doesNotMatch(err, /hidden-value/)
})

test('check --json: problems with their places, for machines', async () => {
  const broken = file('broken.yaml', STARTER.replace('upstream: app', 'upstream: ap'))
  const { problems, ok } = JSON.parse((await run(['check', '--json', '-c', broken])).out)
  assert.equal(ok, false)
  assert.deepEqual(
    [problems[0].path, problems[0].nearest, typeof problems[0].line],
    ['routes.chat.upstream', 'app', 'number'],
  )
  const good = JSON.parse((await run(['check', '--json', '-c', file('weak.yaml', WEAK)])).out)
  assert.deepEqual([good.ok, good.weakened.length], [true, 1])
})

describe('as a process', () => {
  const rows: readonly [name: string, args: () => readonly string[], code: number, told: RegExp][] = [
    ['usage', () => ['chekc'], 2, /did you mean check/],
    ['problems', () => ['check', '-c', 'none.yaml'], 1, /ENOENT/],
    ['well', () => ['init', '-c', '-'], 0, /listeners:/],
  ]
  for (const [name, args, code, told] of rows) {
    test(name, () => {
      const ran = runProcess(args())
      assert.match(ran.out + ran.err, told)
      assert.equal(ran.code, code)
      // Not a terminal: no colour.
      assert.ok(!ran.out.includes('\u001B') && !ran.err.includes('\u001B'))
    })
  }
})

describe('explain: who decides, and why', () => {
  const ORIGIN = ['--origin', 'https://app.example.com']
  const rows: readonly [
    name: string,
    args: readonly string[],
    handshake: string | null,
    message: string | null,
    also?: readonly string[],
  ][] = [
    ['an honest handshake', ORIGIN, null, null],
    ['no Origin', [], 'SALLY_ORIGIN_MISSING', null],
    ['a suffix', ['--origin', 'https://app.example.com.evil.example'], 'SALLY_ORIGIN_NOT_ALLOWED', null],
    [
      'a sibling, and nobody',
      ['--origin', 'https://evil.app.example.com', '--nobody', '--no-ticket'],
      'SALLY_ORIGIN_NOT_ALLOWED',
      null,
      ['handshake/session', 'handshake/ticket'],
    ],
    ['nobody', [...ORIGIN, '--nobody'], 'SALLY_SESSION_MISSING', null],
    ['no ticket', [...ORIGIN, '--no-ticket'], 'SALLY_TICKET_MISSING', null],
    ['not TLS', [...ORIGIN, '--plain'], 'SALLY_TRANSPORT_INSECURE', null],
    [
      'not TLS, but the proxy says that the client has it',
      [
        ...ORIGIN,
        '--plain',
        '--ip',
        '127.0.0.1',
        '--header',
        'X-Forwarded-For: 203.0.113.1',
        '--header',
        'X-Forwarded-Proto: https',
      ],
      null,
      null,
    ],
    ['contradicting metadata', [...ORIGIN, '--header', 'Sec-Fetch-Site: cross-site'], 'SALLY_FETCH_METADATA', null],
    ['two cookies', [...ORIGIN, '--cookie', 'a=1', '--header', 'Cookie: a=2'], 'SALLY_REQUEST_MALFORMED', null],
    ['a message that passes', [...ORIGIN, '--message', '{"type":"chat","text":"hi"}'], null, null],
    ['a type that is not declared', [...ORIGIN, '--message', '{"type":"shell"}'], null, 'SALLY_MESSAGE_TYPE'],
    [
      'a message that does not match',
      [...ORIGIN, '--message', '{"type":"chat","text":1}'],
      null,
      'SALLY_MESSAGE_INVALID',
    ],
    ['a key twice', [...ORIGIN, '--message', '{"type":"chat","text":"a","text":"b"}'], null, 'SALLY_MESSAGE_KEY'],
    ['a prototype', [...ORIGIN, '--message', '{"type":"chat","text":"a","__proto__":{}}'], null, 'SALLY_MESSAGE_KEY'],
    ['no JSON', [...ORIGIN, '--message', 'hello'], null, 'SALLY_MESSAGE_NOT_JSON'],
    [
      'a message of 70 kB',
      [...ORIGIN, '--message', `{"type":"chat","text":"${'x'.repeat(70_000)}"}`],
      null,
      'SALLY_MESSAGE_TOO_BIG',
    ],
  ]
  for (const [name, args, handshake, message, also] of rows) {
    test(name, async () => {
      const ran = await run(explaining('--json', ...args))
      const told = JSON.parse(ran.out)
      assert.equal(told.handshake.decides?.code ?? null, handshake)
      assert.equal(told.message?.decides?.code ?? null, message)
      assert.equal(ran.code, handshake === null && message === null ? 0 : 1)
      if (also !== undefined)
        assert.deepEqual(
          told.handshake.alsoDenies.map(({ control }: { control: string }) => control),
          also,
        )
      if (handshake === null && message === null && args.includes('--message'))
        assert.equal(told.message.passedOn, args.at(-1))
    })
  }
  for (const carrier of ['query', 'first-message']) {
    test(`a ticket by ${carrier}`, async () => {
      const carried = file(
        'carried.yaml',
        STARTER.replace('ticket: { secret:', `ticket: { carrier: ${carrier}, secret:`),
      )
      const args = ['explain', '-c', carried, '--json', '--host', 'app.example.com', '--path', '/ws', ...ORIGIN]
      const told = JSON.parse((await run([...args, '--message', '{"type":"chat","text":"hi"}'])).out)
      assert.deepEqual([told.handshake.decides, told.message.decides], [null, null])
      assert.equal(told.message.passedOn, '{"type":"chat","text":"hi"}')
      const { pass, message, handshake } = JSON.parse(
        (await run([...args, '--no-ticket', '--message', '{"type":"chat","text":"hi"}'])).out,
      )
      assert.equal(pass, false)
      assert.equal(
        (handshake.decides ?? message.decides).code,
        carrier === 'query' ? 'SALLY_TICKET_MISSING' : 'SALLY_AUTHENTICATION_FIRST',
      )
    })
  }
  test('a proxy at a unix socket, trusted and not', async () => {
    for (const [trust, code] of [
      ["['unix:']", 0],
      ['[127.0.0.1]', 1],
    ] as const) {
      const proxied = file('unix.yaml', STARTER.replace('trust: [127.0.0.1]', `trust: ${trust}`))
      const args = ['explain', '-c', proxied, '--host', 'app.example.com', '--path', '/ws', ...ORIGIN, '--plain']
      const from = ['--ip', 'unix:', '--header', 'X-Forwarded-For: 203.0.113.1', '--header', 'X-Forwarded-Proto: https']
      assert.equal((await run([...args, ...from])).code, code, trust)
    }
  })
  test('a path that no route serves', async () => {
    const ran = await run([
      'explain',
      '-c',
      file('good.yaml', STARTER),
      '--host',
      'app.example.com',
      '--path',
      '/other',
    ])
    assert.match(ran.out, /no route serves this host and path: chat serves app\.example\.com \/ws/)
    assert.equal(ran.code, 1)
  })
  test('a path that a route without hosts serves, of a host that another route names', async () => {
    const other = `routes:
  other:
    path: /*
    upstream: app
    session: { signedCookie: { cookie: sid, secrets: ['\${TICKET_SECRET}'] } }
    handshake: { origin: { allow: [https://app.example.com] }, host: { allow: [app.example.com] } }
    message: { schema: { ask: { type: object, properties: { type: { const: ask } } } } }
`
    const two = file('two.yaml', STARTER.replace('routes:\n', other))
    const ran = await run(['explain', '-c', two, '--host', 'app.example.com', '--path', '/other'])
    assert.match(ran.out, /no route serves .*: other serves every host that no other names, \/\*; chat serves app/)
    assert.equal(ran.code, 1)
  })
  test('in report mode it passes, and the control that would deny is named', async () => {
    const ran = await run([
      'explain',
      '-c',
      file('report.yaml', REPORTING),
      '--host',
      'app.example.com',
      '--path',
      '/ws',
      '--origin',
      'https://evil.example',
    ])
    assert.match(ran.out, /would be denied, passes in report mode by handshake\/origin/)
    assert.equal(ran.code, 0)
  })
})
