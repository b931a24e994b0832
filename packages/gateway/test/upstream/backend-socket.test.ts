import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { Decoder, type WireSink } from 'sallyport/wire'
import { type BackendListener, BackendSocket } from '../../src/upstream/backend-socket.ts'
import type { PooledConnection } from '../../src/upstream/pool.ts'
import { Backend, parseAddress } from '../../src/upstream/backend.ts'
import { answering, createBackend, createRawBackend } from '../support/backends.ts'
import { closing, configOf, createWorld } from '../support/gateway-world.ts'

const LIMITS = { frameBytes: 1000, messageBytes: 1000, fragments: 10 }

/** The codes of a client's close frames, one behind the other. */
function closeCodes(bytes: Buffer): number[] {
  const codes: number[] = []
  const never = (): never => assert.fail('only close frames are sent')
  const sink: WireSink = {
    text: never,
    binary: never,
    pinged: never,
    ponged: never,
    closing: code => void codes.push(code),
    fault: never,
  }
  for (let at = 0; at < bytes.length; ) {
    const end = at + 6 + (bytes.readUInt8(at + 1) & 127)
    new Decoder({ peer: 'client', limits: LIMITS }, sink).push(bytes.subarray(at, end))
    at = end
  }
  return codes
}

describe('what a backend hears at its end', () => {
  const rows: readonly [name: string, sends: string, heard: readonly number[]][] = [
    ['it closes with a code: the same', '88020fa1', [4001]],
    ['it closes without one: a close without one', '8800', [1005]],
    ['it breaks the protocol: why', '8300', [1002]],
    ['it breaks a bound: why', '827f0000000100000000', [1009]],
    ['it is closed, and answers: nothing more', '', [4000]],
  ]
  for (const [name, sends, heard] of rows) {
    test(name, async () => {
      const chunks: Buffer[] = []
      const ended = Promise.withResolvers<void>()
      const backend = await createRawBackend(
        answering(socket => {
          socket.on('data', (chunk: Buffer) => {
            chunks.push(chunk)
            if (sends === '') socket.write(Buffer.from('88020fa0', 'hex'))
          })
          socket.on('end', () => ended.resolve())
          socket.write(Buffer.from(sends, 'hex'))
        }),
      )
      const world = await createWorld(configOf([backend.target]))
      const client = await world.connect()
      if (sends === '') client.close(4000)
      await closing(client)
      await ended.promise
      assert.deepEqual(closeCodes(Buffer.concat(chunks)), heard)
      await world.close()
      await backend.close()
    })
  }
})

test('its ping is answered by a pong with the same bytes', async () => {
  const backend = await createBackend()
  const world = await createWorld(configOf([backend.target]))
  await world.connect()
  const [socket] = backend.sockets
  socket!.ping('beat')
  assert.equal(String((await once(socket!, 'pong'))[0]), 'beat')
  await world.close()
  await backend.close()
})

test('behind our close frame nothing is sent', async () => {
  const chunks: Buffer[] = []
  const server = createServer(peer => {
    peer.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      peer.end(Buffer.from('88020fa0', 'hex'))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const owner = new Backend(parseAddress(`ws://127.0.0.1:${port}`))
  const backend = new BackendSocket({ socket, backend: owner } as PooledConnection, LIMITS, {} as BackendListener)
  backend.start(Buffer.alloc(0))
  const closed = once(socket, 'close')
  backend.close(4000)
  backend.sendText('late')
  backend.sendUtf8(Buffer.from('late'), 0, 4)
  backend.sendBinary(Buffer.from('late'))
  backend.ping()
  await closed
  assert.deepEqual(closeCodes(Buffer.concat(chunks)), [4000])
  await new Promise(resolve => server.close(resolve))
})

test('one that is cut before it was read from is counted off, once', async () => {
  const server = createServer(socket => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const owner = new Backend(parseAddress(`ws://127.0.0.1:${port}`))
  owner.open = 1
  const told: string[] = []
  const listener = { lost: detail => void told.push(detail) } as Partial<BackendListener> as BackendListener
  const backend = new BackendSocket({ socket, backend: owner } as PooledConnection, LIMITS, listener)
  const closed = once(socket, 'close')
  backend.terminate()
  assert.equal(owner.open, 0)
  backend.terminate()
  await closed
  assert.equal(owner.open, 0)
  assert.deepEqual(told, [], 'the side that cuts it gets no event')
  await new Promise(resolve => server.close(resolve))
})
