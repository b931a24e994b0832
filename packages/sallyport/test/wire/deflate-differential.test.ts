import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { FIN, frameSize, inflateMessage, RSV1, writeMaskedFrame } from '../../src/wire/index.ts'
import { decode } from './decoding.ts'
import { randomCuts, type Random, seeded } from './random-stream.ts'

interface Receiver {
  on(event: string, listener: (...args: any[]) => void): void
  write(chunk: Buffer, callback: () => void): void
}
const require = createRequire(import.meta.url)
const lib = (name: string): unknown => require(require.resolve('ws').replace(/index\.js$/, `lib/${name}.js`))
const WsReceiver = lib('receiver') as new (options: object) => Receiver
const PerMessageDeflate = lib('permessage-deflate') as new (options: object) => { accept(offers: object[]): void }

const BOUND = 4096

/** Compressed messages as a peer without context takeover sends them; some are broken, some inflate beyond the bound. */
function compressedStream(random: Random): Buffer {
  const frames: Buffer[] = []
  for (let count = 1 + random(3); count > 0; count--) {
    const text = 'sally port '.repeat(random(random(6) === 0 ? 600 : 30)) + 'é€😀'.slice(0, random(4))
    const level = random(10)
    const deflated = deflateRawSync(Buffer.from(text), {
      finishFlush: constants.Z_SYNC_FLUSH,
      level,
      windowBits: 9 + random(7),
      strategy: random(5),
    })
    const payload = Buffer.from(deflated.subarray(0, -4))
    if (random(6) === 0 && payload.length > 0) payload.writeUInt8(random(256), random(payload.length))
    const cut = random(3) === 0 ? random(payload.length + 1) : payload.length
    const parts = cut === payload.length ? [payload] : [payload.subarray(0, cut), payload.subarray(cut)]
    for (const [index, part] of parts.entries()) {
      const frame = Buffer.alloc(frameSize(part.length) + 4)
      const first = (index === parts.length - 1 ? FIN : 0) | (index === 0 ? RSV1 | (1 + random(2)) : 0)
      writeMaskedFrame(frame, 0, first, part)
      frames.push(frame)
    }
  }
  return Buffer.concat(frames)
}

async function readWs(chunks: readonly Buffer[]): Promise<string[]> {
  const deflate = new PerMessageDeflate({ isServer: true, maxPayload: BOUND })
  deflate.accept([{ server_no_context_takeover: [true], client_no_context_takeover: [true] }])
  const heard: string[] = []
  const receiver = new WsReceiver({
    isServer: true,
    maxPayload: BOUND,
    extensions: { 'permessage-deflate': deflate },
  })
  receiver.on('message', (data: Buffer, binary: boolean) =>
    heard.push(binary ? `binary ${data.toString('hex')}` : `text ${data.toString()}`),
  )
  const failed = new Promise<void>(resolve => {
    receiver.on('error', (error: object) => {
      const status = Object.getOwnPropertySymbols(error).find(symbol => symbol.description === 'status-code')
      heard.push(`fault ${status === undefined ? '' : String(Reflect.get(error, status))}`)
      resolve()
    })
  })
  for (const chunk of chunks) {
    await Promise.race([failed, new Promise<void>(resolve => receiver.write(Buffer.from(chunk), resolve))])
    if (heard.at(-1)?.startsWith('fault') === true) break
  }
  return heard
}

test('700 streams of compressed messages are read as ws reads them', async () => {
  const met = new Set<string>()
  for (let seed = 1; seed <= 700; seed++) {
    const random = seeded(seed)
    const chunks = randomCuts(random, compressedStream(random))
    const ours = decode(chunks, { inflate: inflateMessage, limits: { frameBytes: BOUND, messageBytes: BOUND } })
    const theirs = await readWs(chunks)
    const classes = ours.map(line => (line.startsWith('fault') ? line.slice(0, 10) : line))
    const last = ours.at(-1) ?? ''
    met.add(last.startsWith('fault') ? last : 'message')
    // Bytes that nobody reads behind a final block are refused here; ws throws them away.
    const there = theirs[ours.length - 1] ?? 'fault'
    if (last === 'fault 1007 WIRE_INFLATE' && !there.startsWith('fault')) continue
    assert.deepEqual(classes, theirs, `seed ${seed}`)
  }
  assert.deepEqual(
    [...met].toSorted((one, other) => one.localeCompare(other)),
    [
      'fault 1007 WIRE_INFLATE',
      'fault 1007 WIRE_TEXT_UTF8',
      'fault 1009 WIRE_FRAME_TOO_BIG',
      'fault 1009 WIRE_INFLATE_TOO_BIG',
      'fault 1009 WIRE_MESSAGE_TOO_BIG',
      'message',
    ],
  )
})
