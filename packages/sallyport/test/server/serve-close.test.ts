import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from './engine-server.ts'

test('a process that has only peers it does not read from tells them that it goes, and closes whole', async t => {
  const script = fileURLToPath(new URL('closing-server.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=sallyport-source', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill())
  const exited = once(child, 'exit')
  const lines: string[] = []
  const output = createInterface(child.stdout).on('line', line => lines.push(line))
  const ended = once(output, 'close')
  await once(output, 'line')
  const client = await open({ dial: () => connect(Number(lines[0]), 'localhost') })
  client.send('{}')
  assert.deepEqual(await client.hears(1), ['close 1012 SALLY_SHUTDOWN'])
  client.socket.destroy()
  assert.deepEqual(await exited, [0, null])
  await ended
  assert.deepEqual(lines.slice(1), ['closed'])
})
