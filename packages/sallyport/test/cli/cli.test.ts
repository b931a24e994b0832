// The command as a process, on policies in files: what it prints, and its exit codes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const MAIN = new URL('../../src/cli/main.ts', import.meta.url)
const INDEX = new URL('../../src/index.ts', import.meta.url).href
const POLICY = `{
  name: 'shop',
  handshake: {
    origin: { allow: ['https://shop.example'] },
    session: () => { throw new Error('the session store is not asked') },
    ticket: { secret: 'q8Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X' },
  },
  message: { schema: { dangerouslyAcceptAnyMessage: true } },
}`
const FILES: Readonly<Record<string, string>> = {
  'policy.ts': `type Text = string\nconst name: Text = 'shop'\nexport default { ...${POLICY}, name }`,
  'named.mjs': `export const policy = ${POLICY}`,
  'common.cjs': `module.exports = { policy: ${POLICY} }`,
  'guard.mjs': `import { createGuard } from '${INDEX}'\nexport const guard = createGuard(${POLICY})\nsetInterval(() => {}, 1000)`,
  'broken.mjs': `export default { handshake: { origin: { alow: [] }, session: 1 }, message: {} }`,
  'throws.mjs': `import { createGuard } from '${INDEX}'\nexport const guard = createGuard({ handshake: {}, message: {} })`,
  'reporting.mjs': `export default { ...${POLICY}, report: true }`,
  'empty.mjs': 'export const other = 1',
  'enum.ts': `enum Colour { red }\nexport default Colour`,
  'syntax.mjs': 'export default {',
}

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
})
after(() => rmSync(folder, { recursive: true, force: true }))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function run(...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=sallyport-source', '--no-warnings', MAIN.pathname, ...args],
    { cwd: folder, encoding: 'utf8', timeout: 60_000 },
  )
  return { code: status, out: stdout, err: stderr }
}

describe('check', () => {
  for (const file of ['policy.ts', 'named.mjs', 'common.cjs', 'guard.mjs'])
    test(`${file}: a policy without a problem is 0`, () => {
      const { code, out, err } = run('check', file)
      assert.equal(err, '')
      assert.equal(code, 0)
      assert.match(out, /^no problem {2}shop: \d+ controls on/)
      assert.match(out, /weakened {4}message\.schema/)
      assert.ok(!out.includes('\u001B'), 'no colour where it is no terminal')
    })

  test('every problem has path, value and remedy, and the code is 1', () => {
    const { code, err } = run('check', 'broken.mjs')
    assert.equal(code, 1)
    assert.match(err, /handshake\.origin\.alow/)
    assert.match(err, /^ {2}remedy {2}/m)
    const { ok, problems } = JSON.parse(run('check', 'broken.mjs', '--json').out) as {
      readonly ok: boolean
      readonly problems: readonly { readonly path: string; readonly value: string; readonly remedy: string }[]
    }
    assert.equal(ok, false)
    assert.ok(problems.length >= 3)
    for (const { path, value, remedy } of problems) assert.ok(path !== '' && value !== '' && remedy !== '')
  })

  test('a file whose own createGuard throws: its problems are printed', () => {
    const { code, err } = run('check', 'throws.mjs')
    assert.equal(code, 1)
    assert.match(err, /handshake\.origin/)
  })

  for (const [file, told] of [
    ['nowhere.ts', /there is no file/],
    ['empty.mjs', /exports no policy/],
    ['enum.ts', /cannot strip, such as an enum/],
    ['syntax.mjs', /does not load: SyntaxError/],
  ] as const)
    test(`${file} does not load: it says why, and the code is 2`, () => {
      const { code, err } = run('check', file)
      assert.equal(code, 2)
      assert.match(err, told)
    })

  test('a Node that does not read TypeScript is told what to write', async () => {
    // JavaScript alone: this process reads no TypeScript.
    const command = join(folder, 'sallyport.mjs')
    await build({
      entryPoints: [fileURLToPath(MAIN)],
      outfile: command,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      // The dependencies of CommonJS ask for Node's own modules by `require`.
      banner: {
        js: `import { createRequire as requireOf } from 'node:module';const require = requireOf(import.meta.url);`,
      },
    })
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--no-experimental-strip-types', command, 'check', 'policy.ts'],
      { cwd: folder, encoding: 'utf8' },
    )
    assert.equal(status, 2)
    assert.match(stderr, /does not read TypeScript\. Use Node 22\.18 or later, or write: .*node --import tsx/)
  })
})

describe('report', () => {
  test('prints each control with its values', () => {
    const { code, out } = run('report', 'policy.ts')
    assert.equal(code, 0)
    assert.match(out, /handshake\/origin +on +.*https:\/\/shop\.example/)
  })

  test('--json is what guard.report() answers', () => {
    const { name, controls } = JSON.parse(run('report', 'guard.mjs', '--json').out) as {
      readonly name: string
      readonly controls: readonly unknown[]
    }
    assert.equal(name, 'shop')
    assert.ok(controls.length > 20)
  })

  test('a policy with problems is 1', () => assert.equal(run('report', 'broken.mjs').code, 1))
})

describe('explain', () => {
  const honest = ['explain', 'policy.ts', '--host', 'shop.example', '--origin', 'https://shop.example', '--path', '/ws']

  test('an honest handshake passes, and nobody is asked', () => {
    const { code, out, err } = run(...honest)
    assert.equal(`${out}${err}`, 'handshake  passes\n')
    assert.equal(code, 0)
  })

  for (const [attack, more, control] of [
    [
      'suffix: https://shop.example.evil.example',
      ['--origin', 'https://shop.example.evil.example'],
      'handshake/origin',
    ],
    ['no session', ['--nobody'], 'handshake/session'],
    ['no ticket', ['--no-ticket'], 'handshake/ticket'],
    ['plaintext', ['--plain'], 'handshake/transport'],
    ['another host', ['--host', 'rebound.evil.example'], 'handshake/host'],
  ] as const)
    test(`${attack} is denied by ${control}, with the keys that decide`, () => {
      const { code, out } = run(...honest, ...more)
      assert.equal(code, 1)
      assert.match(out, new RegExp(`denied by ${control} \\(SALLY_\\w+, HTTP \\d+\\)`))
      assert.match(out, /^ {2}why {5}\S/m)
      assert.match(out, /^ {2}policy {2}on: /m)
      const told = JSON.parse(run(...honest, ...more, '--json').out) as {
        readonly pass: boolean
        readonly decides: { readonly control: string }
      }
      assert.equal(told.pass, false)
      assert.equal(told.decides.control, control)
    })

  test('report mode: it passes, and says what would be denied', () => {
    const { code, out } = run('explain', 'reporting.mjs', '--host', 'shop.example', '--origin', 'https://evil.example')
    assert.equal(code, 0)
    assert.match(out, /passes in report mode; would be denied by handshake\/origin/)
  })

  test('a code: what it means, and the key', () => {
    const { code, out } = run('explain', 'policy.ts', 'SALLY_ORIGIN_NOT_ALLOWED')
    assert.equal(code, 0)
    assert.match(out, /^ {2}key {5}handshake\.origin\.allow: /m)
  })

  test('an event of the log: its handshake is tried again', () => {
    const event = { code: 'SALLY_ORIGIN_NOT_ALLOWED', hostname: 'shop.example', origin: 'https://evil.example' }
    const { code, out } = run('explain', 'policy.ts', JSON.stringify({ ...event, request_uri: '/ws' }))
    assert.equal(code, 1)
    assert.match(out, /denied by handshake\/origin/)
  })

  test('an event about a message: its code is explained', () => {
    const { code, out } = run(
      'explain',
      'policy.ts',
      JSON.stringify({ code: 'SALLY_MESSAGE_RATE', hostname: 'a.example' }),
    )
    assert.equal(code, 0)
    assert.match(out, /message\.rate/)
  })

  for (const [why, args, told] of [
    ['an unknown code', ['explain', 'policy.ts', 'SALLY_ORIGIN_NOT_ALOWED'], /did you mean SALLY_ORIGIN_NOT_ALLOWED/],
    ['an event that is cut', ['explain', 'policy.ts', '{"code":'], /no JSON/],
    ['nothing to explain', ['explain', 'policy.ts'], /say which/],
    ['an invalid address', [...honest, '--ip', 'here'], /--ip is an IP address/],
    ['a header without a colon, which is not shown', [...honest, '--header', 'sid=secret'], /number 1 is no header/],
  ] as const)
    test(`${why}: exit code 2`, () => {
      const { code, err } = run(...args)
      assert.equal(code, 2)
      assert.match(err, told)
      assert.ok(!err.includes('secret'))
    })
})

test('help is 0, an unknown command or option is 2 and names the nearest', () => {
  for (const args of [['--help'], ['check', '--help'], ['report', '-h'], ['explain', '--help']])
    assert.equal(run(...args).code, 0, args.join(' '))
  assert.match(run('--version').out, /^\d+\.\d+\.\d+/)
  assert.match(run('chek', 'policy.ts').err, /did you mean check/)
  assert.match(run('check', 'policy.ts', '--jsn').err, /did you mean --json/)
  assert.equal(run().code, 2)
})
