import { createRequire } from 'node:module'
import { Decoder, FAULTS, type WireFaultCode, type WireLimits, type WirePeer } from '../../src/wire/index.ts'

interface Receiver {
  on(event: string, listener: (...args: any[]) => void): void
  _write(chunk: Buffer, encoding: string, callback: (error?: Error) => void): void
}
const require = createRequire(import.meta.url)
/** The receiver of `ws`: the other reader of RFC 6455 that ours must agree with. */
const WsReceiver = require(require.resolve('ws').replace(/index\.js$/, 'lib/receiver.js')) as new (
  options: object,
) => Receiver

/** The same bounds for both. */
export const BOUNDS: WireLimits = { frameBytes: 70000, messageBytes: 70000, fragments: 6 }

/** What one reader made of a stream: messages and control frames, then at most one end. */
interface Reading {
  readonly heard: string[]
  /** `close 1000 …`, `fault 1002`, or empty while the stream is open. */
  end: string
  code?: WireFaultCode
}

const shown = (kind: string, bytes: Buffer, start: number, end: number): string =>
  `${kind} ${bytes.toString('latin1', start, end)}`

function readOurs(chunks: readonly Buffer[], peer: WirePeer): Reading {
  const reading: Reading = { heard: [], end: '' }
  const { heard } = reading
  const decoder = new Decoder(
    { peer, limits: BOUNDS },
    {
      text: (bytes, start, end) => heard.push(shown('text', bytes, start, end)),
      binary: (bytes, start, end) => heard.push(shown('binary', bytes, start, end)),
      pinged: (bytes, start, end) => heard.push(shown('ping', bytes, start, end)),
      ponged: (bytes, start, end) => heard.push(shown('pong', bytes, start, end)),
      closing: (code, reason) => (reading.end = `close ${code} ${reason}`),
      fault: fault => {
        reading.end = `fault ${fault.closeCode}`
        reading.code = fault.code
      },
    },
  )
  for (const chunk of chunks) decoder.push(Buffer.from(chunk))
  return reading
}

function readWs(chunks: readonly Buffer[], peer: WirePeer): Reading {
  const reading: Reading = { heard: [], end: '' }
  const { heard } = reading
  const receiver = new WsReceiver({
    isServer: peer === 'client',
    maxPayload: BOUNDS.messageBytes,
    maxFragments: BOUNDS.fragments,
  })
  receiver.on('message', (data: Buffer, binary: boolean) =>
    heard.push(shown(binary ? 'binary' : 'text', data, 0, data.length)),
  )
  receiver.on('ping', (data: Buffer) => heard.push(shown('ping', data, 0, data.length)))
  receiver.on('pong', (data: Buffer) => heard.push(shown('pong', data, 0, data.length)))
  receiver.on('conclude', (code: number, reason: Buffer) => (reading.end = `close ${code} ${reason.toString()}`))
  for (const chunk of chunks) {
    if (reading.end !== '') break
    receiver._write(Buffer.from(chunk), 'buffer', error => {
      if (error !== undefined) reading.end = `fault ${closeCodeOf(error)}`
    })
  }
  return reading
}

function closeCodeOf(error: Error): number {
  const key = Object.getOwnPropertySymbols(error).find(symbol => symbol.description === 'status-code')
  return key === undefined ? 0 : Number(Reflect.get(error, key))
}

/** Where the two may part, and why; anything else is a difference. */
function explained(ours: Reading, theirs: Reading): boolean {
  const rest = theirs.heard.slice(ours.heard.length)
  const prefix = ours.heard.every((line, index) => line === theirs.heard[index])
  if (!prefix) return false
  // RFC 6455 §5.2 wants the shortest form of a length; `ws` takes any.
  if (ours.code === 'WIRE_LENGTH_FORM') return true
  if (rest.length === 0) {
    // §5.2: a 64-bit length with its top bit set is malformed; `ws` calls it too big.
    if (ours.code === 'WIRE_LENGTH_SIGN') return theirs.end === 'fault 1009'
    // Too many fragments are too big a message here, a policy violation there, and refused there after the payload.
    if (ours.code === 'WIRE_FRAGMENTS') return theirs.end === 'fault 1008' || theirs.end === ''
    // `ws` refuses a length before the masking key has come, we after it: only a stream that ends between them shows it.
    if (ours.end === '' && theirs.end === 'fault 1009') return true
  }
  // We refuse text as soon as it cannot be UTF-8 any more; `ws` once its message is whole, if it ever is.
  if (ours.code === 'WIRE_TEXT_UTF8') return rest.every(line => line.startsWith('ping ') || line.startsWith('pong '))
  return false
}

/** Reads a stream by both. */
export function compare(chunks: readonly Buffer[], peer: WirePeer): { readonly same: boolean; readonly story: string } {
  const ours = readOurs(chunks, peer)
  const theirs = readWs(chunks, peer)
  const equal =
    ours.end === theirs.end &&
    ours.heard.length === theirs.heard.length &&
    ours.heard.every((line, index) => line === theirs.heard[index])
  const same = equal || explained(ours, theirs)
  const story = `${peer} ${ours.code ?? (ours.end === '' ? 'open' : ours.end.slice(0, 10))} / ${theirs.end.slice(0, 10) || 'open'}`
  return { same, story: same ? story : `${story}\n ours ${JSON.stringify(ours)}\n  ws  ${JSON.stringify(theirs)}` }
}

/** Every code that a stream without compression can meet. */
export const REACHABLE: readonly string[] = Object.keys(FAULTS).filter(
  code => !code.startsWith('WIRE_INFLATE') && code !== 'WIRE_FRAME_TOO_BIG',
)
