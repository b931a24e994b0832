import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs, { closeSync, openSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { connect, createServer, type AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { after, describe, mock, test } from 'node:test'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { writeThrough } from '../../src/node/write-through.ts'
import { type EngineServer, open, startEngine } from './engine-server.ts'

/** Says what descriptor the socket has. */
function pretend(socket: Socket, fd: unknown): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: object }
  Object.defineProperty(handle, 'fd', { value: fd, configurable: true })
}

class Slow extends Socket {
  override _write(_bytes: unknown, _encoding: BufferEncoding, done: () => void): void {
    done()
  }
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
    client.send('a', 'b')
    assert.deepEqual(await client.hears(2), ['text a', 'text b'])
    assert.equal(engine.sockets[0]!.bytesWritten, 0)
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

  const ways: readonly (readonly [name: string, change: (socket: Socket) => unknown])[] = [
    ['counts what it writes', socket => (socket.write = (() => true) as Socket['write'])],
    ['encrypts by a _write of its own', socket => (socket._write = (_bytes, _encoding, done) => done())],
    ['encrypts by a _writev of its own', socket => (socket._writev = (_bytes, done) => done())],
    ['is of a class of its own', socket => Object.setPrototypeOf(socket, Slow.prototype)],
  ]
  for (const [name, change] of ways) {
    test(`takes nothing of a socket that ${name}`, async t => {
      const [near, far] = await pair(t)
      change(near)
      assert.equal(writeThrough(near, bytes, 4), 0)
      const ended = once(far.resume(), 'end')
      near.destroy()
      await ended
      assert.equal(far.bytesRead, 0)
    })
  }

  test('takes nothing of what only shows the handle of a socket', async t => {
    const [near, far] = await pair(t)
    const { _handle: handle } = near as unknown as { readonly _handle: object }
    const shown = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() })
    assert.equal(writeThrough(Object.assign(shown, { _handle: handle, connecting: false }) as never, bytes, 4), 0)
    near.end('end')
    assert.equal(String((await once(far, 'data'))[0]), 'end')
  })

  test('takes nothing of a handle of TLS, which knows the descriptor too, whatever the socket says of itself', async t => {
    const [near, far] = await pair(t)
    const secret = new TLSSocket(near, { isServer: true, key: KEY, cert: CERTIFICATE })
    const client = connectTls({ socket: far, rejectUnauthorized: false })
    await once(client, 'secureConnect')
    assert.ok((secret as unknown as { readonly _handle: { readonly fd: number } })._handle.fd > 0)
    Reflect.deleteProperty(secret, 'encrypted')
    assert.equal('encrypted' in secret, false)
    assert.equal(writeThrough(secret, bytes, 4), 0)
    secret.write('sealed')
    assert.equal(String((await once(client, 'data'))[0]), 'sealed')
    client.destroy()
    secret.destroy()
  })

  test('is tried again whatever the network answers: no peer slows down the others', async t => {
    const { writeSync } = fs
    const [near, far] = await pair(t)
    t.after(() => {
      fs.writeSync = writeSync
      syncBuiltinESMExports()
    })
    for (const code of ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'ECONNABORTED', 'ENOBUFS', 'EINTR']) {
      fs.writeSync = () => {
        throw Object.assign(new Error(code), { code })
      }
      syncBuiltinESMExports()
      assert.equal(writeThrough(near, bytes, 4), 0)
      fs.writeSync = writeSync
      syncBuiltinESMExports()
      assert.equal(writeThrough(near, bytes, 4), 4, code)
    }
    near.destroy()
    await once(far.resume(), 'end')
    assert.equal(far.bytesRead, 7 * 4)
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
