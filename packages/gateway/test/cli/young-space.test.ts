import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { youngSpaceArguments } from '../../src/cli/young-space.ts'
import { cli, startGateway } from '../runtime/gateway-process.ts'
import { configOf } from '../runtime/load.ts'

const ARGUMENT = '--max-semi-space-size=4'

describe('who says how large the space for new objects is', () => {
  const rows: readonly [name: string, execArgv: readonly string[], options: string | undefined, ours: boolean][] = [
    ['nobody', [], undefined, true],
    ['other options do not count', ['--conditions=x', '--max-old-space-size=512'], '--enable-source-maps', true],
    ['the command line', ['--max-semi-space-size=16'], undefined, false],
    ['the command line, as V8 spells it', ['--max_semi_space_size=16'], undefined, false],
    ['two words', ['--max-semi-space-size', '16'], undefined, false],
    ['NODE_OPTIONS', [], '--enable-source-maps --max-semi-space-size=2', false],
    ['the least of it', [], '--min-semi-space-size=16', false],
    ['ourselves, the second time', [ARGUMENT], undefined, false],
  ]
  for (const [name, execArgv, options, ours] of rows) {
    test(name, () => assert.deepEqual(youngSpaceArguments(execArgv, options), ours ? [ARGUMENT] : []))
  }
})

const commandOf = (pid: number | string): string[] => readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
const childrenOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/task`).flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim().split(' ').filter(Boolean),
  )

describe('a gateway that runs', { skip: process.platform !== 'linux' }, () => {
  test('has the bound in the process that was started, under the same pid, and its arguments are its own', async () => {
    const gateway = await startGateway(configOf(1, 0))
    const command = commandOf(gateway.process.pid!)
    assert.equal(command.filter(argument => argument === ARGUMENT).length, 1)
    assert.deepEqual(command.slice(-4, -1), ['run', '--config', gateway.file])
    assert.ok(command.includes('--conditions=sallyport-source'))
    const { text } = await gateway.admin('GET', '/metrics')
    assert.match(text, /nodejs_heap_space_size_total_bytes\{space="new"\} \d/)
    await gateway.end()
  })

  test('hands it to each of its workers', async () => {
    const gateway = await startGateway(`${configOf(1, 0)}workers: 2\n`)
    const workers = childrenOf(gateway.process.pid!).map(commandOf)
    assert.equal(workers.length, 2)
    for (const command of workers) assert.equal(command.filter(argument => argument === ARGUMENT).length, 1)
    await gateway.end()
  })

  test('leaves an operator’s own choice alone', async () => {
    const gateway = await startGateway(configOf(1, 0), { NODE_OPTIONS: '--max-semi-space-size=16' })
    assert.equal(
      commandOf(gateway.process.pid!).some(argument => argument.includes('semi')),
      false,
    )
    await gateway.end()
  })

  test('V8 obeys: the space does not grow beyond', () => {
    const grown = (argument: string): number => {
      const churn = `const kept = []; let n = 0
        for (let i = 0; i < 2e6; i++) { const one = { i, text: 'x' + i }; if (i % 10 === 0) kept[n++ % 20000] = one }
        console.log(require('node:v8').getHeapSpaceStatistics().find(s => s.space_name === 'new_space').space_size)`
      return Number(spawnSync(process.execPath, [argument, '-e', churn], { encoding: 'utf8' }).stdout)
    }
    assert.ok(grown(ARGUMENT) <= 12 * 2 ** 20)
    assert.ok(grown('--max-semi-space-size=16') > 12 * 2 ** 20)
  })
})

test('what was forked with a channel does not begin again: the channel would be lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-gateway-'))
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, configOf(1, 0))
  const [command, args] = cli(['run', '--config', file])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  for await (const line of createInterface(child.stdout!)) if (line.includes('"kind":"startup"')) break
  assert.equal(child.connected, true)
  assert.equal(commandOf(child.pid!).includes(ARGUMENT), false)
  child.kill('SIGTERM')
  await once(child, 'exit')
  rmSync(folder, { recursive: true, force: true })
})
