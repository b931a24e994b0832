import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, ORIGIN, route } from '../support/gateway-world.ts'

/** A masked frame with any first byte and any bytes; the key is fixed. */
function frame(first: number, payload: Buffer): Buffer {
  const key = Buffer.from('0badf00d', 'hex')
  const masked = Buffer.from(payload.map((byte, index) => byte ^ key[index & 3]!))
  const { length } = payload
  const head = length < 126 ? [first, 0x80 | length] : [first, 0xfe, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(head), key, masked])
}

async function rawClient(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: ${ORIGIN}\r\nCookie: sid=s1\r\n\r\n`,
  )
  await new Promise<void>((resolve, reject) => {
    socket.once('data', chunk =>
      chunk.toString('latin1').startsWith('HTTP/1.1 101') ? resolve() : reject(new Error(chunk.toString())),
    )
  })
  socket.resume()
  return socket
}

const text = (payload: string | Buffer): Buffer => frame(0x81, Buffer.from(payload as string))
const LAST = '{"type":"chat","message":"the end"}'

// What two JSON parsers read differently, or the second one reads as more than the first has checked.
const cases: readonly [name: string, sent: readonly Buffer[], received: readonly string[]][] = [
  ['a duplicate key', [text('{"type":"chat","message":"a","message":"b"}')], []],
  ['a duplicate key, once in escapes', [text('{"type":"chat","message":"a","\\u006dessage":"b"}')], []],
  ['a duplicate type', [text('{"type":"chat","message":"a","type":"admin"}')], []],
  ['__proto__', [text('{"type":"chat","message":"a","__proto__":{"admin":true}}')], []],
  ['__proto__ in escapes', [text('{"type":"chat","message":"a","\\u005f\\u005fproto__":{"admin":true}}')], []],
  ['constructor.prototype', [text('{"type":"chat","message":"a","constructor":{"prototype":{"admin":true}}}')], []],
  ['depth beyond the bound', [text(`{"type":"chat","message":"a","x":${'['.repeat(40)}${']'.repeat(40)}}`)], []],
  [
    'an unknown field is taken off',
    [text('{"type":"chat","message":"a","admin":true}')],
    ['{"type":"chat","message":"a"}'],
  ],
  [
    'white space and order stay',
    [text(' {\n"message" :\t"a" ,"type":"chat"}\r\n')],
    [' {\n"message" :\t"a" ,"type":"chat"}\r\n'],
  ],
  [
    'escapes that need none stay',
    [text('{"type":"chat","message":"\\u0061\\/"}')],
    ['{"type":"chat","message":"\\u0061\\/"}'],
  ],
  ['a number too big for its type of float', [text('{"type":"chat","message":"a","n":1e400}')], []],
  ['a number beyond 2^53, which JSON.parse rounds', [text('{"type":"chat","message":"a","n":9007199254740993}')], []],
  ['negative zero', [text('{"type":"chat","message":"a","n":-0}')], ['{"type":"chat","message":"a","n":-0}']],
  [
    '1.0 and 1e2',
    [text('{"type":"chat","message":"a","n":1.0}'), text('{"type":"chat","message":"a","n":1e2}')],
    ['{"type":"chat","message":"a","n":1.0}', '{"type":"chat","message":"a","n":1e2}'],
  ],
  [
    'an unknown field goes, and numbers stay as they were written',
    [text('{"type":"chat","message":"a","n":1.50,"admin":true}')],
    ['{"type":"chat","message":"a","n":1.50}'],
  ],
  [
    'a pair of surrogates in escapes stays',
    [text('{"type":"chat","message":"\\ud83d\\ude00"}')],
    ['{"type":"chat","message":"\\ud83d\\ude00"}'],
  ],
  ['a byte order mark', [text('\ufeff{"type":"chat","message":"a"}')], []],
  ['bytes behind the value', [text('{"type":"chat","message":"a"}{"type":"admin"}')], []],
  ['a NUL behind the value', [text('{"type":"chat","message":"a"}\0')], []],
  ['a comment', [text('{"type":"chat",/*x*/"message":"a"}')], []],
  ['a trailing comma', [text('{"type":"chat","message":"a",}')], []],
  ['NaN', [text('{"type":"chat","message":"a","n":NaN}')], []],
  ['U+2028 in a string', [text('{"type":"chat","message":"\u2028"}')], ['{"type":"chat","message":"\u2028"}']],
  ['an array around it', [text('[{"type":"chat","message":"a"}]')], []],
  ['text that is no object', [text('"chat"'), text('null')], []],
]

describe('the backend receives only what was checked, byte for byte as it came', () => {
  for (const [name, sent, received] of cases) {
    test(name, async () => {
      const backend = await createBackend({ echo: false })
      const message = { strikes: 100 }
      const world = await createWorld(configOf([backend.target], [route({ message })]))
      const socket = await rawClient(world.port)
      const last = Promise.withResolvers<void>()
      backend.sockets[0]!.on('message', (data: Buffer) => data.toString() === LAST && last.resolve())
      for (const bytes of sent) socket.write(bytes)
      socket.write(text(LAST))
      await last.promise
      assert.deepEqual(
        backend.received.map(({ data }) => data.toString()),
        [...received, LAST],
      )
      socket.destroy()
      await world.close()
      await backend.close()
    })
  }

  const fatal: readonly [name: string, sent: readonly Buffer[]][] = [
    ['invalid UTF-8', [text(Buffer.from('{"type":"chat","message":"\xc3\x28"}', 'latin1'))]],
    [
      'invalid UTF-8 across fragments',
      [
        frame(0x01, Buffer.from('{"type":"chat","message":"\xe2\x82', 'latin1')),
        frame(0x80, Buffer.from('\x28"}', 'latin1')),
      ],
    ],
    ['an overlong slash', [text(Buffer.from('{"type":"chat","message":"\xc0\xaf"}', 'latin1'))]],
    ['a surrogate in UTF-8 bytes (CESU)', [text(Buffer.from('{"type":"chat","message":"\xed\xa0\x80"}', 'latin1'))]],
    ['a lone surrogate in an escape', [text('{"type":"chat","message":"\\ud800"}')]],
    ['a message that is never finished', [frame(0x01, Buffer.from('{"type":"chat","message":"a'))]],
  ]
  for (const [name, sent] of fatal) {
    test(`${name}: nothing of it reaches the backend`, async () => {
      const backend = await createBackend({ echo: false })
      const world = await createWorld(configOf([backend.target]))
      const socket = await rawClient(world.port)
      const ended = new Promise(resolve => backend.sockets[0]!.once('close', resolve))
      for (const bytes of sent) socket.write(bytes)
      socket.end()
      await ended
      assert.deepEqual(backend.received, [])
      await world.close()
      await backend.close()
    })
  }

  test('a character that is cut by a fragment is whole at the backend', async () => {
    const backend = await createBackend({ echo: false })
    const world = await createWorld(configOf([backend.target]))
    const socket = await rawClient(world.port)
    const whole = Buffer.from('{"type":"chat","message":"€😀"}')
    const got = new Promise(resolve => backend.sockets[0]!.once('message', resolve))
    for (let at = 0; at < whole.length; at++) {
      socket.write(frame((at === 0 ? 0x01 : 0x00) | (at === whole.length - 1 ? 0x80 : 0), whole.subarray(at, at + 1)))
    }
    assert.equal(String(await got), whole.toString())
    socket.destroy()
    await world.close()
    await backend.close()
  })
})
