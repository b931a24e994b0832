import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { after, describe, mock, test } from 'node:test'
import { writeThrough } from '../../src/server/engine-write.ts'
import { type EngineServer, open, startEngine } from './engine-server.ts'

/** Says what descriptor the socket has. */
function pretend(socket: Socket, fd: unknown): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: object }
  Object.defineProperty(handle, 'fd', { value: fd, configurable: true })
}

/** Both ends of a TCP connection. */
async function pair(t: { after(hook: () => void): void }): Promise<readonly [near: Socket, far: Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [near] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  near.on('error', () => undefined)
  far.on('error', () => undefined)
  return [near, far]
}

describe('what a connection sends', () => {
  const long = 'é'.repeat(100_000)
  const echoes = async (engine: EngineServer): Promise<void> => {
    const client = await open(engine)
    client.send('a', long, 'b')
    assert.deepEqual(await client.hears(3), ['text a', `text ${long}`, 'text b'])
    client.socket.destroy()
  }

  test('goes past its stream', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    const write = mock.method(engine.sockets[0]!, 'write')
    client.send('a', 'b')
    assert.deepEqual(await client.hears(2), ['text a', 'text b'])
    assert.equal(write.mock.callCount(), 0)

    client.socket.destroy()
  })

  const without: readonly (readonly [string, unknown])[] = [
    ['where no descriptor is told', undefined],
    ['where the descriptor is told as closed', -1],
    ['where the descriptor is no number', { fd: 1 }],
    ['where the system knows no such descriptor', 1 << 20],
  ]
  for (const [name, fd] of without) {
    test(`goes by its stream ${name}`, async t => {
      const engine = await startEngine(t)
      let writes: () => number = () => 0
      engine.server.prependListener('connection', socket => {
        pretend(socket, fd)
        const { mock: calls } = mock.method(socket, 'write')
        writes = () => calls.callCount()
      })
      await echoes(engine)
      assert.ok(writes() > 1)
    })
  }

  test('goes by its stream over TLS', async t => {
    const engine = await startEngine(t, { tls: true })
    await echoes(engine)
  })
})

describe('writing past a stream', () => {
  const bytes = Buffer.from('abcdef')

  test('takes as many bytes as it is told', async t => {
    const [near, far] = await pair(t)
    assert.equal(writeThrough(near, bytes, 4), 4)
    const [chunk] = (await once(far, 'data')) as [Buffer]
    assert.equal(chunk.toString(), 'abcd')
  })

  test('takes nothing while the stream has bytes of its own', async t => {
    const [near, far] = await pair(t)
    far.pause()
    while (near.write(Buffer.alloc(1 << 20)));
    assert.equal(writeThrough(near, bytes, 4), 0)
  })

  test('takes nothing while the stream is corked', async t => {
    const [near] = await pair(t)
    near.cork()
    assert.equal(writeThrough(near, bytes, 4), 0)
  })

  test('takes nothing while the socket connects', () => {
    const socket = connect({ port: 9, host: '127.0.0.1' }).on('error', () => undefined)
    assert.equal(writeThrough(socket, bytes, 4), 0)
    socket.destroy()
  })

  test('takes nothing once the socket is destroyed, though another has its number', async t => {
    const [near] = await pair(t)
    near.destroy()
    const [other, far] = await pair(t)
    assert.equal(writeThrough(near, bytes, 4), 0)
    other.end('end')
    const [chunk] = (await once(far, 'data')) as [Buffer]
    assert.equal(chunk.toString(), 'end')
  })

  test('takes a part of what does not fit, and nothing once the kernel is full', async t => {
    const [near, far] = await pair(t)
    far.pause()
    const much = Buffer.alloc(1 << 26, 'x')
    const taken = writeThrough(near, much, much.length)
    assert.ok(taken > 0 && taken < much.length)
    let full = 0
    for (let turn = 0; turn < 1000 && full < 3; turn++) {
      full = writeThrough(near, much, much.length) === 0 ? full + 1 : 0
      await new Promise(setImmediate)
    }
    assert.equal(full, 3)
    assert.ok(!near.destroyed)
  })

  test('takes nothing for a peer that reset, and goes on for others', async t => {
    const [near, far] = await pair(t)
    const [other] = await pair(t)
    const gone = once(far, 'close')
    far.resetAndDestroy()
    await gone
    assert.equal(writeThrough(near, bytes, 4), 0)
    assert.equal(writeThrough(other, bytes, 4), 4)
  })

  test('is not tried again after an answer that no socket gives', async t => {
    const full = openSync('/dev/full', 'w')
    after(() => closeSync(full))
    const [near] = await pair(t)
    const [sound] = await pair(t)
    assert.equal(writeThrough(sound, bytes, 4), 4)
    pretend(near, full)
    assert.equal(writeThrough(near, bytes, 4), 0)
    assert.equal(writeThrough(sound, bytes, 4), 0)
  })
})
