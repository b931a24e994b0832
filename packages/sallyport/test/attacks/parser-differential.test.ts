import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import { EngineRequest } from '../../src/node/upgrade-request.ts'
import { readUpgrade } from '../../src/wire/index.ts'
import { HANDSHAKE, startEngine } from '../server/engine-server.ts'

/** What Node's parser makes of the first bytes of a connection: the request and what is left behind it, or why not. */
type Read = readonly [request: IncomingMessage, head: number] | string

let told: (read: Read) => void
const server = createServer(() => told('a request'))
server.on('upgrade', (request: IncomingMessage, _socket: Duplex, head: Buffer) => told([request, head.length]))
server.on('clientError', error => told(error.message))

async function readByNode(bytes: Buffer): Promise<Read> {
  const read = new Promise<Read>(resolve => (told = resolve))
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  server.emit('connection', socket)
  socket.push(bytes)
  const incomplete = (async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    return 'nothing'
  })()
  const answer = await Promise.race([read, incomplete])
  socket.destroy()
  return answer
}

const ALIKE = [
  'method',
  'url',
  'httpVersion',
  'httpVersionMajor',
  'httpVersionMinor',
  'rawHeaders',
  'headers',
  'headersDistinct',
  'trailers',
  'rawTrailers',
  'complete',
] as const
const shown = (request: IncomingMessage): string => JSON.stringify(ALIKE.map(key => request[key]))

/** Whether the first-bytes reader reads these bytes; if so Node's parser must read the same of them, and no less. */
async function isReadAlike(name: string, bytes: Buffer): Promise<boolean> {
  const upgrade = readUpgrade(bytes)
  if (upgrade === null) return false
  const read = await readByNode(bytes)
  if (typeof read === 'string') assert.fail(`${name}: read, though Node says ${read}`)
  const [request, head] = read
  assert.equal(head, 0, name)
  assert.equal(shown(new EngineRequest(request.socket, upgrade)), shown(request), name)
  return true
}

const CLEAN = Buffer.from(
  HANDSHAKE.replace('Connection: Upgrade', 'Connection: keep-alive, Upgrade').replace(
    '\r\n\r\n',
    '\r\nCookie: a=1; sid=s1\r\nX-A: b\r\n\r\n',
  ),
  'latin1',
)
/** All but most letters and digits, of which one stands for another. */
const BYTES = Array.from({ length: 256 }, (_, byte) => byte).filter(
  byte => !/[B-Zb-z1-9]/.test(String.fromCharCode(byte)),
)

describe('what the first-bytes reader reads of a handshake Node’s parser reads alike', () => {
  test('with any one byte put between, at every place', async () => {
    let read = 0
    for (let at = 0; at <= CLEAN.length; at++) {
      for (const byte of BYTES) {
        const bytes = Buffer.concat([CLEAN.subarray(0, at), Buffer.from([byte]), CLEAN.subarray(at)])
        if (await isReadAlike(`${byte} put before ${at}`, bytes)) read++
      }
    }
    assert.ok(read > 1000)
  })

  test('with any one byte instead of another, at every place', async () => {
    let read = 0
    for (let at = 0; at < CLEAN.length; at++) {
      for (const byte of BYTES) {
        const bytes = Buffer.from(CLEAN)
        bytes[at] = byte
        if (await isReadAlike(`${byte} at ${at}`, bytes)) read++
      }
    }
    assert.ok(read > 1000)
  })

  test('with a part taken out, at every place and of every length', async () => {
    let read = 0
    for (let from = 0; from < CLEAN.length; from++) {
      for (let to = from + 1; to <= CLEAN.length; to++) {
        const bytes = Buffer.concat([CLEAN.subarray(0, from), CLEAN.subarray(to)])
        if (await isReadAlike(`without ${from} to ${to}`, bytes)) read++
      }
    }
    assert.ok(read > 100)
  })

  const lines: readonly (readonly [name: string, line: string, isRead: boolean])[] = [
    ['a header that Node makes a list of', 'Set-Cookie: a', false],
    ['the prototype of what holds the headers', '__proto__: a', false],
    ['numbers as names', '10: a\r\n2: b', true],
    ['one name in two cases', 'X-B: a\r\nx-b: b', false],
    ['one name twice, known and in another case', 'origin: https://evil.example', false],
    ['an older name of Connection', 'Proxy-Connection: close', true],
    ['a length that looks like none', 'Content-Length : 0', false],
    ['a length of nothing', 'Content-Length: 0', false],
    ['a coding by another name', 'Transfer_Encoding: chunked', true],
    ['an empty value', 'X-B:', true],
    ['blanks and tabs around a value', `X-B: \t ${' \t'.repeat(20)}a \t `, true],
    ['blanks and tabs within a value', 'X-B: a \t b', true],
    ['a blank beyond ASCII', 'X-B: a\xa0', false],
    ['a line break of Unicode, in UTF-8', 'X-B: a\xe2\x80\xa8Host: b', false],
    ['a vertical tab', 'X-B: a\vb', false],
    ['a form feed before a value', 'X-B:\fa', false],
    ['many colons', 'X-B::: a:b:', true],
    ['what looks like an answer', 'HTTP/1.1: 101', false],
  ]
  for (const [name, line, isRead] of lines) {
    test(name, async () => {
      const bytes = Buffer.from(CLEAN.toString('latin1').replace('X-A: b', line), 'latin1')
      assert.equal(await isReadAlike(name, bytes), isRead)
    })
  }
})

test('in two reads, cut at any place, a handshake is answered as in one', async t => {
  const engine = await startEngine(t)
  const answerTo = async (...parts: readonly string[]): Promise<string> => {
    const socket = engine.dial().setNoDelay(true)
    await once(socket, 'connect')
    for (const part of parts) {
      socket.write(part)
      const { sockets } = engine
      while ((sockets.at(-1)?.bytesRead ?? 0) < parts[0]!.length) await new Promise(setImmediate)
    }
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return answer.toString('latin1')
  }
  const expected = await answerTo(HANDSHAKE)
  assert.match(expected, /^HTTP\/1\.1 101 /)
  engine.sockets.length = 0
  for (let at = 1; at < HANDSHAKE.length; at++) {
    assert.equal(await answerTo(HANDSHAKE.slice(0, at), HANDSHAKE.slice(at)), expected, `cut at ${at}`)
    engine.sockets.length = 0
  }
})
