import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { Decoder, type WireSink } from 'sallyport/wire'
import { type BackendListener, BackendSocket } from '../../src/upstream/backend-socket.ts'
import type { PooledConnection } from '../../src/upstream/pool.ts'
import { parseAddress, Target } from '../../src/upstream/target.ts'
import { answering, createRawBackend } from '../support/backends.ts'
import { closing, configOf, createWorld } from '../support/gateway-world.ts'

const LIMITS = { frameBytes: 1000, messageBytes: 1000, fragments: 10 }

describe('a close of the backend', () => {
  for (const [name, frame, expected] of [
    ['with a code', '88020fa1', 4001],
    ['without one', '8800', 1005],
  ] as const) {
    test(`${name} is answered with it`, async () => {
      const answered: number[] = []
      const sink = { closing: (code: number) => void answered.push(code) } as unknown as WireSink
      const decoder = new Decoder({ peer: 'client', limits: LIMITS }, sink)
      const ended = Promise.withResolvers<void>()
      const backend = await createRawBackend(
        answering(socket => {
          socket.on('data', (chunk: Buffer) => decoder.push(chunk))
          socket.on('end', () => ended.resolve())
          socket.write(Buffer.from(frame, 'hex'))
        }),
      )
      const world = await createWorld(configOf([backend.target]))
      await closing(await world.connect())
      await ended.promise
      assert.deepEqual(answered, [expected])
      await world.close()
      await backend.close()
    })
  }
})

test('one that is cut before it was read from is counted off, once', async () => {
  const server = createServer(socket => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const target = new Target(parseAddress(`ws://127.0.0.1:${port}`))
  target.open = 1
  const told: string[] = []
  const listener = { lost: detail => void told.push(detail) } as Partial<BackendListener> as BackendListener
  const backend = new BackendSocket({ socket, target } as PooledConnection, LIMITS, listener)
  const closed = once(socket, 'close')
  backend.terminate()
  assert.equal(target.open, 0)
  backend.terminate()
  await closed
  assert.equal(target.open, 0)
  assert.deepEqual(told, [], 'whoever cuts it is not told of it')
  await new Promise(resolve => server.close(resolve))
})
