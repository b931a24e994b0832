import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createGuard } from '../../src/index.ts'
import { serve } from '../../src/server/serve.ts'
import { HANDSHAKE, open, startEngine } from './engine-server.ts'

/** Ways to announce a body, and to send no more than a part of it. */
const bodies: readonly (readonly [name: string, line: string, sent: string])[] = [
  ['a length, and nothing', 'Content-Length: 5', ''],
  ['a length, and a part', 'Content-Length: 5', 'he'],
  ['a length, and all of it', 'Content-Length: 5', 'hello'],
  ['a length, and more', 'Content-Length: 5', 'helloGET / HTTP/1.1\r\n'],
  ['chunks, and none', 'Transfer-Encoding: chunked', ''],
  ['chunks, and a part of one', 'Transfer-Encoding: chunked', '5\r\nhe'],
  ['chunks, and no end', 'Transfer-Encoding: chunked', '5\r\nhello\r\n'],
  ['chunks, and their end', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
]

/** All that a server answers until it ends the connection. */
async function answerTo(dial: () => Socket, parts: readonly string[]): Promise<string> {
  const socket = dial()
  let answer = ''
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  const closed = once(socket, 'close')
  for (const part of parts) {
    socket.write(part)
    await new Promise(setImmediate)
  }
  await closed
  return answer
}

describe('a handshake that announces a body', () => {
  for (const [name, line, sent] of bodies) {
    for (const tls of [false, true]) {
      for (const firstBytes of [false, true]) {
        test(`${name}${tls ? ', over TLS' : ''}${firstBytes ? '' : ', without the first-bytes reader'}: refused, and the next is served`, async t => {
          const engine = await startEngine(t, { tls, firstBytes })
          const handshake = HANDSHAKE.replace('Origin', `${line}\r\nOrigin`)
          assert.match(
            await answerTo(engine.dial, [handshake, sent]),
            /^HTTP\/1\.1 400 [^]*\{"code":"SALLY_REQUEST_MALFORMED"\}$/,
          )
          assert.deepEqual(engine.codes, ['SALLY_REQUEST_MALFORMED'])
          assert.deepEqual(engine.connections, [])
          const client = await open(engine)
          client.send('a')
          assert.deepEqual(await client.hears(1), ['text a'])
          client.socket.destroy()
        })
      }
    }

    test(`${name}: report mode ends no process, and the next is served`, async t => {
      const engine = await startEngine(t, { policy: { report: ['handshake/request'] } })
      const socket = engine.dial().on('error', () => undefined)
      const answered = once(socket, 'data')
      socket.write(HANDSHAKE.replace('Origin', `${line}\r\nOrigin`) + sent)
      assert.match(String(await answered), /^HTTP\/1\.1 (?:101|400) /)
      const client = await open(engine)
      client.send('a')
      assert.deepEqual(await client.hears(1), ['text a'])
      client.socket.destroy()
      socket.destroy()
    })
  }
})

test('serve() refuses such a handshake on its path and beside it, and serves the next', async () => {
  const guard = createGuard({
    handshake: {
      origin: { allow: ['https://app.test'] },
      session: { dangerouslyAnonymous: true },
      host: { allow: ['app.test'] },
    },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
    events: { log: { info() {}, warn() {}, error() {} } },
  })
  const app = await serve({
    guard,
    host: '127.0.0.1',
    port: 0,
    path: '/chat',
    message: (_message, { send }) => send(''),
  })
  const dial = (): Socket => connect(app.port, '127.0.0.1')
  for (const [, line, sent] of bodies) {
    for (const [path, status] of [
      ['/chat', 400],
      ['/other', 404],
    ] as const) {
      const handshake = HANDSHAKE.replace('/chat', path).replace('Origin', `${line}\r\nOrigin`)
      assert.equal((await answerTo(dial, [handshake, sent])).split(' ', 2)[1], String(status))
    }
  }
  const client = await open({ dial })
  assert.match(client.answer, /^HTTP\/1\.1 101 /)
  client.socket.destroy()
  await app.close({ withinMs: 0 })
})
