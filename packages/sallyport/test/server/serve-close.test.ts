import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { closeOf, createWorld } from '../support/world.ts'
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

for (const [name, withinMs, hears] of [
  ['within the time of the drain it answers first', 3000, '{"type":"chat","message":"late"}'],
  ['with no time at all it is not waited for', 0, null],
] as const) {
  test(`a handler that runs while the server closes: ${name}`, async t => {
    // Every connection is let go in the first instant, unless it is waited for.
    t.mock.method(Math, 'random', () => 0)
    const running = Promise.withResolvers<void>()
    const work = Promise.withResolvers<void>()
    const world = await createWorld(
      {},
      {
        handlers: {
          async chat(_said: object, connection: { send(message: object): boolean }) {
            running.resolve()
            await work.promise
            connection.send({ type: 'chat', message: 'late' })
          },
        },
      },
    )
    const [socket, idle] = [await world.connect(), await world.connect('bob-1')]
    const idleCloses = closeOf(idle)
    const heard: string[] = []
    socket.on('message', data => heard.push(String(data as Buffer)))
    const closed = closeOf(socket)
    socket.send('{"type":"chat","message":"hi"}')
    await running.promise
    const done = world.app.close({ withinMs })
    await idleCloses
    if (hears !== null) work.resolve()
    assert.deepEqual(await closed, { code: 1012, reason: 'SALLY_SHUTDOWN' })
    assert.deepEqual(heard, hears === null ? [] : [hears])
    work.resolve()
    await done
  })
}
