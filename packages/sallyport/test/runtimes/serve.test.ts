import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { FIN, OPCODE } from '../../src/wire/index.ts'
import { frame, HANDSHAKE, open, type RawClient, text } from '../server/engine-server.ts'
import { RUNTIMES } from './runtimes.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const message = (word: string): string => JSON.stringify({ type: 'chat', message: word.repeat(20) })
const [ONE, TWO, UMLAUTS] = [message('one '), message('two '), message('äöü ')]
const CUT = text(ONE)

/** What a client sends, a write each, and what it hears in answer. */
const rows: readonly (readonly [
  name: string,
  writes: readonly (readonly (Buffer | string)[])[],
  heard: readonly string[],
])[] = [
  ['one message', [[ONE]], [`text ${ONE}`]],
  ['two messages in one write', [[ONE, TWO]], [`text ${ONE}`, `text ${TWO}`]],
  ['two messages in two quick writes', [[ONE], [TWO]], [`text ${ONE}`, `text ${TWO}`]],
  ['umlauts between ASCII', [[ONE, UMLAUTS], [TWO]], [`text ${ONE}`, `text ${UMLAUTS}`, `text ${TWO}`]],
  ['a hundred messages in one write', [Array(100).fill(ONE)], Array(100).fill(`text ${ONE}`)],
  [
    'a message of many reads between two short ones',
    [[ONE, message('x'.repeat(12_000)), TWO]],
    [`text ${ONE}`, `text ${message('x'.repeat(12_000))}`, `text ${TWO}`],
  ],
  [
    'a frame cut in its header and in its payload',
    [[CUT.subarray(0, 3)], [CUT.subarray(3, 20)], [CUT.subarray(20), TWO]],
    [`text ${ONE}`, `text ${TWO}`],
  ],
  [
    'a ping between two messages',
    [[ONE, frame(FIN | OPCODE.ping, Buffer.from('p')), TWO]],
    [`text ${ONE}`, 'pong p', `text ${TWO}`],
  ],
]

/** What a client sends that is refused, and the close that it hears after its message's echo. */
const attacks: readonly (readonly [name: string, bytes: Buffer, heard: string])[] = [
  ['a frame that is not masked', Buffer.from('8102686a', 'hex'), 'close 1002 SALLY_PROTOCOL_ERROR'],
  [
    'text that is not UTF-8',
    frame(FIN | OPCODE.text, Buffer.from([0x22, 0xff, 0x22])),
    'close 1007 SALLY_MESSAGE_NOT_UTF8',
  ],
  [
    'a message over the bound',
    frame(FIN | OPCODE.text, Buffer.alloc(256 * 1024 + 1, 0x20)),
    'close 1009 SALLY_MESSAGE_TOO_BIG',
  ],
]

for (const { name: runtime, command } of RUNTIMES) {
  for (const tls of [false, true]) {
    describe(`serve() under ${runtime}${tls ? ', over TLS' : ''}`, { timeout: 20_000 }, () => {
      let child: ChildProcess
      let port: number
      const dial = (): Socket =>
        tls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1')
      const opened = (handshake = HANDSHAKE): Promise<RawClient> => open({ dial }, handshake)

      before(async () => {
        const args = ['--conditions=sallyport-source', path('echo-server.ts'), ...(tls ? ['--tls'] : [])]
        child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
        const [told] = (await once(child.stdout!, 'data')) as [Buffer]
        port = Number(told.toString())
      })

      for (const [name, writes, expected] of rows) {
        test(name, async () => {
          const client = await opened()
          client.socket.setNoDelay(true)
          for (const parts of writes) {
            client.send(...parts)
            await new Promise(setImmediate)
          }
          assert.deepEqual(await client.hears(expected.length), expected)
          client.socket.destroy()
        })
      }

      for (const [name, bytes, expected] of attacks) {
        test(`${name}: refused`, async () => {
          const client = await opened()
          client.send(ONE, bytes)
          const heard = await client.closes()
          assert.deepEqual(heard, [`text ${ONE}`, expected])
        })
      }

      test('an origin that is not allowed: refused', async () => {
        const client = await opened(HANDSHAKE.replace('https://app.test', 'https://app.test.evil.example'))
        await client.closes()
        assert.match(client.answer, /^HTTP\/1\.1 403 [^]*\{"code":"SALLY_ORIGIN_NOT_ALLOWED"\}$/)
      })

      after(async () => {
        const ended = once(child, 'exit')
        child.stdin!.end()
        assert.deepEqual(await ended, [0, null], 'it drains')
      })
    })
  }
}
