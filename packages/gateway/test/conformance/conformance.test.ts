import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'
import { Decoder, textOf } from 'sallyport/wire'
import { WebSocket } from 'ws'
import { echoConfig, type EchoOptions } from '../../../../bench/gateway/echo.ts'
import { start } from '../../demo/started.ts'
import { policyInputOf } from '../../src/config/route-policy.ts'
import { createGateway } from '../../src/runtime/gateway.ts'
import { createBackend } from '../support/backends.ts'
import { RULES } from '../../../sallyport/test/wire/rfc6455-rows.ts'
import { closing } from '../support/leftovers.ts'

const LIMITS = { frameBytes: Infinity, messageBytes: Infinity, fragments: Infinity }
const HANDSHAKE = (port: number): string =>
  `GET /echo HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1\r\n\r\n`

/** What a server answers to these bytes, sent whole or one by one, until it ends the connection. */
async function answersTo(port: number, text: string, count: number, singly = false): Promise<readonly string[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const heard: string[] = []
  const decoder = new Decoder(
    { peer: 'server', limits: LIMITS },
    {
      text: (read, start, end, ascii) => heard.push(`text ${textOf(read, start, end, ascii)}`),
      binary: (read, start, end) => heard.push(`binary ${read.toString('hex', start, end)}`),
      pinged: () => heard.push('ping'),
      ponged: (read, start, end) => heard.push(`pong ${read.toString('hex', start, end)}`),
      closing(code) {
        heard.push(`close ${code === 1005 ? '' : code}`)
        socket.end(Buffer.from('888000000000', 'hex'))
      },
      fault: fault => heard.push(fault.code),
    },
  )
  let head = ''
  const opened = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      if (head.endsWith('\r\n\r\n')) {
        decoder.push(Buffer.from(chunk))
        return
      }
      head += chunk.toString('latin1')
      if (!head.endsWith('\r\n\r\n')) return
      if (head.startsWith('HTTP/1.1 101')) resolve()
      else reject(new Error(head))
    })
    socket.on('error', () => undefined)
    socket.on('close', () => reject(new Error(`closed before it opened: ${head}`)))
  })
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()))
  socket.write(HANDSHAKE(port))
  await opened
  for (const [index, part] of text.split('|').entries()) {
    if (index > 0) while (heard.length < count && !socket.destroyed) await Promise.race([once(socket, 'data'), closed])
    const bytes = Buffer.from(part.replaceAll(' ', ''), 'hex')
    if (singly) for (const byte of bytes) socket.write(Uint8Array.of(byte))
    else socket.write(bytes)
  }
  await closed
  return heard
}

const OPTIONS = { port: 0, bytes: '1 MiB', fragments: 1000, deflate: false, data: 'any' as const }
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** The gateway before an echo of `ws`. */
async function throughGateway(options: Partial<EchoOptions> = {}): Promise<number> {
  const backend = await createBackend()
  const gateway = createGateway({
    config: echoConfig({ ...OPTIONS, backendPort: backend.port, ...options }),
    guardOf: (route, config) => createGuard(policyInputOf(route, config, { dangerouslyAnonymous: true })),
    log: silent,
  })
  await gateway.listen()
  closing(() => gateway.close(0))
  return gateway.ports.get('main')!
}

/** The same policy without a gateway. */
async function direct(): Promise<number> {
  const config = echoConfig({ ...OPTIONS, backendPort: 1 })
  const app = await serve({
    guard: createGuard(policyInputOf(config.routes[0]!, config, { dangerouslyAnonymous: true })),
    port: 0,
    host: '127.0.0.1',
    message: (message, connection) => void connection.send(message as string | object),
  })
  closing(() => app.close({ withinMs: 0 }))
  return app.port
}

/** What an echo answers to what is heard. */
const ANSWERS: { readonly [heard: string]: (rest: string) => readonly string[] } = {
  text: rest => [`text ${rest}`],
  binary: rest => [`binary ${rest}`],
  ping: rest => [`pong ${rest}`],
  pong: () => [],
  close: rest => [rest.startsWith('1005') ? 'close ' : `close ${rest.slice(0, 4)}`],
  fault: rest => [`close ${rest.slice(0, 4)}`],
}
const BYE = '| 8882 00000000 03e8'

/** The bytes of a row, with a close where they end nothing themselves, and an echo's answers. */
function asked(bytes: string, heard: readonly string[]): readonly [bytes: string, answers: readonly string[]] {
  const answers = heard.flatMap(line => {
    const [kind = ''] = line.split(' ', 1)
    return ANSWERS[kind]!(line.slice(kind.length + 1))
  })
  return answers.at(-1)?.startsWith('close') === true
    ? [bytes, answers]
    : [`${bytes} ${BYE}`, [...answers, 'close 1000']]
}

describe('RFC 6455 by raw bytes: the end through the gateway is the end without it', () => {
  for (const [section, rows] of Object.entries(RULES)) {
    test(section, async () => {
      const [alone, before] = [await direct(), await throughGateway()]
      for (const [name, bytes, heard, peer = 'client'] of rows) {
        if (peer !== 'client') continue
        const [text, answers] = asked(bytes, heard)
        const wanted = [name, ...answers]
        const count = answers.length - 1
        assert.deepEqual([name, ...(await answersTo(alone, text, count))], wanted, 'without the gateway')
        assert.deepEqual([name, ...(await answersTo(before, text, count))], wanted, 'through the gateway')
        if (text.length > 2000) continue
        assert.deepEqual([name, ...(await answersTo(before, text, count, true))], wanted, 'byte by byte')
      }
    })
  }
})

describe('where it is another', () => {
  const rows: readonly [name: string, options: Partial<EchoOptions>, text: string, answer: readonly string[]][] = [
    ['text where binary alone is meant', { data: 'binary' }, '8181 00000000 61', ['close 1003']],
    ['binary where text alone is meant', { data: 'text' }, '8281 00000000 61', ['close 1003']],
    ['a message at the bound', { bytes: 3 }, '8183 00000000 616161 | 8880 00000000', ['text aaa', 'close ']],
    ['a message beyond it', { bytes: 3 }, '8184 00000000', ['close 1009']],
    ['fragments at the bound', { fragments: 2 }, '0180 00000000 8080 00000000 | 8880 00000000', ['text ', 'close ']],
    ['fragments beyond it', { fragments: 2 }, '0180 00000000 0080 00000000 0080 00000000', ['close 1009']],
    [
      'a close right behind a message is answered before the backend’s echo',
      {},
      '8181 00000000 61 8882 00000000 03e8',
      ['close 1000'],
    ],
  ]
  for (const [name, options, text, answer] of rows) {
    test(name, async () => {
      assert.deepEqual(await answersTo(await throughGateway(options), text, answer.length - 1), answer)
    })
  }
})

test('bench/gateway-echo.ts is that gateway, ready for a suite of others', async () => {
  const file = join(import.meta.dirname, '../../../../bench/gateway-echo.ts')
  const options = ['--port', '0', '--binary', 'off', '--deflate']
  const args = ['--conditions=sallyport-source', file, ...options]
  const { lines, end } = await start(process.execPath, args, {}, line => line.startsWith('ws://'))
  const client = new WebSocket(lines.at(-1)!)
  const close = closing(async () => {
    client.terminate()
    await end()
  })
  await once(client, 'open')
  assert.equal(client.extensions, 'permessage-deflate')
  client.send('a'.repeat(100_000))
  assert.equal(String((await once(client, 'message'))[0]), 'a'.repeat(100_000))
  client.send(Buffer.from('a'))
  assert.equal((await once(client, 'close'))[0], 1003)
  await close()
})
