import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HELP, parseOptions } from '../src/options.ts'

const MISTAKES: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['unknown flag', ['--prot', '8443'], /--prot/],
  ['flag without its value', ['--port'], /--port/],
  ['stray word', ['unguarded'], /unguarded/],
  ['port above the last one', ['--port', '65536'], /--port 65536 is not a port.*0 to 65535/],
  ['negative port', ['--port=-1'], /--port -1 is not a port/],
  ['port with a tail', ['--port', '8443x'], /not a port/],
  ['port in hex', ['--attacker-port', '0x10'], /--attacker-port 0x10 is not a port/],
  ['empty port', ['--port', ''], /not a port/],
  ['one port for both', ['--port', '9443'], /both 9443/],
  ['unknown SameSite', ['--same-site', 'Lax'], /none, lax, strict or unset/],
  ['empty folder', ['--data', ''], /--data is empty/],
]
for (const [name, args, problem] of MISTAKES) {
  test(`command line: ${name} is a mistake that says so`, () => {
    const parsed = parseOptions(args)
    assert.equal(parsed.kind, 'mistake')
    assert.match(parsed.problem, problem)
  })
}

test('command line: nothing said is the guarded chat on its usual ports', () => {
  const parsed = parseOptions([])
  assert.equal(parsed.kind, 'options')
  const { data, ...rest } = parsed.options
  assert.deepEqual(rest, { port: 8443, attackerPort: 9443, unguarded: false, sameSite: 'lax', json: false })
  assert.match(data, /examples.chat.\.data$/)
})

test('command line: bounds of a port, and every flag at once', () => {
  const args = '--port 65535 --attacker-port 0 --unguarded --same-site none --data /tmp/x --json'.split(' ')
  const parsed = parseOptions(args)
  assert.equal(parsed.kind, 'options')
  assert.deepEqual(parsed.options, {
    port: 65535,
    attackerPort: 0,
    unguarded: true,
    sameSite: 'none',
    data: '/tmp/x',
    json: true,
  })
  assert.equal(parseOptions(['--port', '0', '--attacker-port', '0']).kind, 'options')
})

test('command line: the help names every flag', () => {
  assert.equal(parseOptions(['--help']).kind, 'help')
  for (const flag of ['--port', '--attacker-port', '--unguarded', '--same-site', '--data', '--json', '--help']) {
    assert.ok(HELP.includes(flag), flag)
  }
})
