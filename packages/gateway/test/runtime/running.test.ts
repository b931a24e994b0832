import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/runtime/log.ts'
import { parseConfigFully } from '../../src/config/parse.ts'
import { startRunning } from '../../src/runtime/running.ts'
import { goodConfig } from '../config/good-config.ts'

/** A configuration that says which one it is. */
function textOf(nth: number): string {
  const config = goodConfig()
  config.listeners.public.address = '127.0.0.1:0'
  config.upstreams.app.targets = [`ws://127.0.0.1:${9000 + nth}`]
  return JSON.stringify(config)
}

test('texts that come faster than they are taken on: the last one is in force, and all who wait get it', async () => {
  const parsed = parseConfigFully(textOf(0), { file: 'f' })
  const running = await startRunning({ file: 'f', parsed, log: createLog({ level: 'silent', format: 'json' }, 'app') })
  try {
    const results = await Promise.all([1, 2, 3, 4].map(nth => running.reload(textOf(nth))))
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, true, true],
    )
    assert.deepEqual(running.config.upstreams['app']!.targets, ['ws://127.0.0.1:9004'])
    assert.equal(running.reloads.taken, 2)
  } finally {
    await running.close(0)
  }
})
