import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-main-'))
const children = new Set<ChildProcess>()
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs what `npm start` runs. `until` ends it by SIGTERM as soon as its output matches. */
function start(args: readonly string[], until?: RegExp, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  const child = spawn(process.execPath, ['--conditions=sallyport-source', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  })
  children.add(child)
  let out = ''
  let err = ''
  const look = (): void => {
    if (until?.test(out + err) === true) child.kill(signal)
  }
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
    look()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
    look()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      children.delete(child)
      resolve({ code, out, err })
    })
  })
}

test('npm start -- --help: all flags on standard output, exit code 0', async () => {
  const { code, out, err } = await start(['--help'])
  assert.equal(code, 0)
  assert.match(out, /--unguarded/)
  assert.equal(err, '')
})

test('npm start with a flag that does not exist: the flag and the way to the help, exit code 2', async () => {
  const { code, out, err } = await start(['--ungarded'])
  assert.equal(code, 2)
  assert.match(err, /--ungarded/)
  assert.match(err, /npm start -- --help/)
  assert.equal(out, '')
})

for (const flag of ['port', 'attacker-port']) {
  test(`npm start with a busy --${flag}: which port, what to write, no stack, exit code 1`, async () => {
    const holder = createServer()
    await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as { port: number }
    const other = flag === 'port' ? 'attacker-port' : 'port'
    const { code, out, err } = await start([`--${flag}`, String(port), `--${other}`, '0', '--data', folder])
    holder.close()
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(err, new RegExp(`Port ${port} is in use`))
    assert.ok(err.includes(`npm start -- --${flag} ${port + 1}`), err)
    assert.doesNotMatch(err, / at |node:internal/)
  })
}

test('npm start with a data folder that cannot be one: a sentence, exit code 1', async () => {
  const { code, err } = await start(['--port', '0', '--attacker-port', '0', '--data', join(MAIN, 'below-a-file')])
  assert.equal(code, 1)
  assert.match(err, /below-a-file|ENOTDIR/)
  assert.doesNotMatch(err, /node:internal/)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`npm start ended by ${signal}: it said what to open and who to be, drains, exit code 0`, async () => {
    const args = ['--port', '0', '--attacker-port', '0', '--data', folder]
    const { code, out, err } = await start(args, /Ctrl-C/, signal)
    assert.equal(code, 0, err)
    for (const part of [
      /https:\/\/app\.localhost:\d+/,
      /https:\/\/evil\.app\.localhost:\d+/,
      /https:\/\/evil\.localhost:\d+/,
      /alice {2}wonderland/,
      /npm start -- --unguarded/,
      /Draining/,
    ]) {
      assert.match(out, part)
    }
    assert.ok(!out.includes('\u001B'), 'no colours where there is no terminal')
    assert.equal(err, '')
  })
}

test('npm start -- --json: standard output is JSON lines alone', async () => {
  const args = ['--port', '0', '--attacker-port', '0', '--data', folder, '--json']
  const { code, out, err } = await start(args, /Ctrl-C/)
  assert.equal(code, 0)
  assert.match(err, /https:\/\/app\.localhost/)
  const lines = out.split('\n').filter(line => line !== '')
  assert.ok(lines.length > 0)
  for (const line of lines) assert.equal(typeof JSON.parse(line).kind, 'string')
})
