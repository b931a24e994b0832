import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { frame, OPCODE, rawPeer, type RawPeer } from '../guard/raw-peer.ts'

const MIB = 1024 * 1024

interface Measured {
  readonly bytes: number
  readonly timers: number
  readonly open: number
  readonly denials: readonly { readonly code: string; readonly count: number }[]
}

let server: ChildProcess
let port: number
before(async () => {
  server = fork(fileURLToPath(new URL('memory-server.ts', import.meta.url)), {
    execArgv: ['--expose-gc', '--conditions=sallyport-source'],
  })
  const [ready] = await once(server, 'message')
  ;({ port } = ready as { port: number })
})
after(() => server.disconnect())

async function measure(): Promise<Measured> {
  server.send('measure')
  const [measured] = await once(server, 'message')
  return measured as Measured
}

/** Asks until no more than `open` connections are left. */
async function measureAt(open: number): Promise<Measured> {
  for (;;) {
    const measured = await measure()
    if (measured.open === open) return measured
  }
}

const attack = (extensions?: string): Promise<RawPeer> =>
  rawPeer({
    port,
    origin: 'https://any.example',
    protocols: ['sallyport.v1'],
    ...(extensions !== undefined && { extensions }),
  })

/** An idle client that costs this process as little as can be. */
function idle(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('error', reject)
    socket.once('data', answer => {
      if (answer.toString('latin1').startsWith('HTTP/1.1 101')) resolve(socket)
      else reject(new Error(answer.toString('latin1')))
    })
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Protocol: sallyport.v1\r\nOrigin: https://any.example\r\n\r\n',
    )
  })
}

async function isServed(): Promise<void> {
  const honest = await attack()
  honest.socket.write(frame(OPCODE.text, '{"type":"hello"}'))
  await honest.frame(({ payload }) => payload.includes('hello'))
  honest.socket.destroy()
}

async function warmUp(): Promise<Measured> {
  const sockets = await Promise.all(Array.from({ length: 200 }, idle))
  await isServed()
  for (const socket of sockets) socket.destroy()
  return measureAt(0)
}

test('10 000 idle connections: bounded memory each, no timer each, others served, the memory back afterwards', async t => {
  const start = await warmUp()
  const sockets: Socket[] = []
  while (sockets.length < 10_000) sockets.push(...(await Promise.all(Array.from({ length: 250 }, idle))))
  const full = await measureAt(10_000)
  await isServed()
  assert.ok(full.timers < start.timers + 10, `${full.timers} timers, ${start.timers} before`)
  const each = (full.bytes - start.bytes) / 10_000
  t.diagnostic(`${Math.round(each)} bytes of heap and buffers a connection`)
  assert.ok(each < 24 * 1024, `${each} bytes a connection`)
  for (const socket of sockets) socket.destroy()
  const end = await measureAt(0)
  t.diagnostic(`${((end.bytes - start.bytes) / MIB).toFixed(1)} MiB left behind`)
  assert.ok(end.bytes - start.bytes < 20 * MIB, `${end.bytes - start.bytes} bytes left behind`)
  assert.ok(end.timers <= start.timers + 1, `${end.timers} timers left`)
})

const bomb = deflateRawSync(Buffer.alloc(64 * MIB), { finishFlush: 2, windowBits: 12 }).subarray(0, 60_000)

for (const [name, count, bytes, extensions] of [
  [
    'headers that announce the whole bound, and nothing after them',
    300,
    frame(OPCODE.text, 'x', { announced: 65_536n }),
    undefined,
  ],
  ['headers that announce 64 MiB', 300, frame(OPCODE.text, 'x', { announced: BigInt(64 * MIB) }), undefined],
  [
    '100 000 fragments of one byte',
    20,
    Buffer.concat([
      frame(OPCODE.text, '{', { fin: false }),
      ...Array.from<Buffer>({ length: 100_000 }).fill(frame(OPCODE.continuation, 'x', { fin: false })),
    ]),
    undefined,
  ],
  [
    'floods of 20 000 messages',
    20,
    Buffer.concat(Array.from<Buffer>({ length: 20_000 }).fill(frame(OPCODE.text, '{"type":"x"}'))),
    undefined,
  ],
  [
    'deflate bombs',
    20,
    frame(OPCODE.text, bomb, { rsv1: true }),
    'permessage-deflate; client_max_window_bits; client_no_context_takeover',
  ],
] as const) {
  test(`${count} connections with ${name}: bounded while it lasts, and nothing is left`, async t => {
    const start = await measureAt(0)
    const peers = await Promise.all(Array.from({ length: count }, () => attack(extensions)))
    for (const { socket } of peers) socket.write(bytes)
    await isServed()
    const during = await measure()
    t.diagnostic(`${((during.bytes - start.bytes) / MIB).toFixed(1)} MiB while it lasts`)
    assert.ok(during.bytes - start.bytes < 40 * MIB, `${during.bytes - start.bytes} bytes while it lasts`)
    for (const { socket } of peers) socket.destroy()
    const end = await measureAt(0)
    assert.ok(end.bytes - start.bytes < 10 * MIB, `${end.bytes - start.bytes} bytes left behind`)
  })
}
