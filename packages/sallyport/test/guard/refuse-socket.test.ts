import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import { PassThrough, type Duplex } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { WebSocketServer } from 'ws'
import { createGuard } from '../../src/index.ts'

const guard = createGuard({
  handshake: { origin: { allow: ['http://localhost'] }, session: { dangerouslyAnonymous: true } },
  message: { schema: { chat: { type: 'object' } } },
})
const UPGRADE = 'GET /other HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

async function served(t: TestContext, upgrade: (socket: Duplex) => void): Promise<{ server: Server; port: number }> {
  const door = guard.upgrade(new WebSocketServer({ noServer: true, ...guard.ws() }), '/ws')
  const server = createServer(() => undefined)
  server.on('upgrade', (request, socket, head) => {
    if (!door(request, socket, head)) upgrade(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/** A client that never ends its half. */
function dial(port: number): Socket {
  return connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined)
}

describe('guard.refuse', () => {
  for (const [status, line] of [
    [404, 'HTTP/1.1 404 Not Found'],
    [403, 'HTTP/1.1 403 Forbidden'],
    [503, 'HTTP/1.1 503 Service Unavailable'],
  ] as const) {
    it(`answers ${status} and closes the socket, though the peer keeps its half open`, async t => {
      let closed: Promise<unknown> = Promise.resolve()
      const { port } = await served(t, socket => {
        closed = once(socket, 'close')
        guard.refuse(socket, status)
      })
      const socket = dial(port)
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.write(UPGRADE)
      await once(socket, 'end')
      await closed
      assert.equal(text.split('\r\n')[0], line)
      assert.match(text, /\r\nConnection: close\r\n/)
      assert.match(text, /\r\nContent-Length: 0\r\n\r\n$/)
      socket.destroy()
    })
  }

  it('for comparison: socket.end alone leaves the socket half open', async t => {
    let theirs: Duplex | undefined
    const { port } = await served(t, socket => {
      theirs = socket
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
    })
    const socket = dial(port)
    socket.resume().write(UPGRADE)
    await once(socket, 'end')
    await new Promise(setImmediate)
    assert.equal(theirs!.destroyed, false)
    theirs!.destroy()
    socket.destroy()
  })

  it('twice, or after the peer left: nothing is thrown', async t => {
    const ended = Promise.withResolvers<void>()
    const { port } = await served(t, socket => {
      guard.refuse(socket, 404)
      guard.refuse(socket, 404)
      socket.once('close', () => {
        guard.refuse(socket, 404)
        ended.resolve()
      })
    })
    const socket = dial(port)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.write(UPGRADE)
    await once(socket, 'end')
    await ended.promise
    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1)
    socket.destroy()
  })

  it('in the middle of an earlier answer nothing is said: it would be read as its body', async t => {
    const { server, port } = await served(t, socket => guard.refuse(socket, 404))
    server.removeAllListeners('request')
    server.on('request', (_request, response) => response.writeHead(200).write('part'))
    const socket = dial(port)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    while (!text.includes('part')) await once(socket, 'data')
    socket.write(UPGRADE)
    await Promise.race([once(socket, 'end'), once(socket, 'close')])
    assert.equal(text.includes('404'), false)
    socket.destroy()
  })

  it('a stream that is no socket is closed too', async () => {
    const stream = new PassThrough()
    const closed = once(stream, 'close')
    guard.refuse(stream, 404)
    stream.resume()
    await closed
  })

  const socket = new PassThrough()
  const wrong: readonly [unknown, unknown, RegExp][] = [
    [socket, 200, /the status is 200.*guard\.refuse\(socket, 404\)/],
    [socket, 101, /the status is 101/],
    [socket, 600, /the status is 600/],
    [socket, 404.5, /the status is 404\.5/],
    [socket, '404', /the status is '404'/],
    [socket, undefined, /the status is/],
    [undefined, 404, /the socket is nothing|the socket is undefined/],
    [{}, 404, /the socket is an object/],
    [404, socket, /the socket is a number/],
  ]
  for (const [given, status, message] of wrong) {
    it(`an error that says what to write: ${String(message)}`, () => {
      assert.throws(() => guard.refuse(given as Duplex, status as number), { name: 'TypeError', message })
    })
  }
})
