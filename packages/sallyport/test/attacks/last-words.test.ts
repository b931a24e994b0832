import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { World } from '../support/world.ts'
import { start } from './scene.ts'

interface Working {
  readonly world: World
  /** Messages whose handler began. */
  readonly begun: string[]
  /** Ends the handlers that run. */
  finish(): void
  readonly closed: Promise<void>
}

/** A server of one handler at a time, each of which lasts until `finish`. */
async function work(): Promise<Working> {
  const begun: string[] = []
  const running: (() => void)[] = []
  const closed = Promise.withResolvers<void>()
  const world = await start({ message: { concurrency: { handlers: 1 } } }, {
    handlers: {
      chat: ({ message }: { message: string }) => {
        begun.push(message)
        return new Promise<void>(resolve => running.push(resolve))
      },
    },
    close: () => closed.resolve(),
  } as never)
  return {
    world,
    begun,
    finish: () => {
      for (const end of running.splice(0)) end()
    },
    closed: closed.promise,
  }
}

/** Sends three messages and a close frame, and waits until the server has answered that. */
async function sendAndClose({ world }: Working, sid = 'ann-1'): Promise<void> {
  const client = await world.connect(sid)
  for (const message of ['first', 'second', 'third']) client.send(JSON.stringify({ type: 'chat', message }))
  client.close(1000)
  await once(client, 'close')
}

for (const target of [{ session: 'ann-1' }, { user: 'ann' }, 'all'] as const) {
  test(`attack: what waits behind a close frame is not handled after ${JSON.stringify(target)} was revoked`, async () => {
    const place = await work()
    await sendAndClose(place)
    assert.deepEqual(place.begun, ['first'])
    await place.world.guard.revoke(target)
    place.finish()
    await place.closed
    assert.deepEqual(place.begun, ['first'])
  })
}

test('honest: what waits behind a close frame is handled where somebody else was revoked', async () => {
  const place = await work()
  await sendAndClose(place)
  await place.world.guard.revoke({ user: 'bob' })
  for (let nth = 0; nth < 3; nth++) {
    place.finish()
    await new Promise(resolve => setImmediate(resolve))
  }
  await place.closed
  assert.deepEqual(place.begun, ['first', 'second', 'third'])
})
