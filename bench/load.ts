// The load, in a process of its own, on Bun's sockets: they cost less a round trip than any server here does, which the
// CPU times of both sides in each result show. It writes frames that were made before, and counts bytes.
// Usage: bun load.ts '{"port":1,"connections":50,"depth":1,"bytes":120,"warmup":1,"seconds":3,…}'
import { createHmac, randomUUID } from 'node:crypto'
import { cpuOf } from './cpu.ts'
import { fetchTickets } from './tickets.ts'

interface Load {
  readonly port: number
  /** The server's process, whose CPU time is read while the load runs. */
  readonly pid: number
  readonly tls?: boolean
  readonly protocol: 'ws' | 'socket.io'
  readonly connections: number
  readonly depth: number
  readonly bytes: number
  /** In seconds. */
  readonly warmup: number
  readonly seconds: number
  /** `csrf`: a token in the query; `ticket`: one from the server's endpoint for each connection. */
  readonly admission: 'none' | 'csrf' | 'ticket'
}
interface BunSocket {
  data: Client
  write(bytes: Uint8Array): number
  end(): void
}
interface Client {
  stage: 'handshake' | 'prelude' | 'running'
  text: string
  /** Bytes of replies still awaited. */
  awaited: number
  /** Bytes that the kernel did not take. */
  unsent: Uint8Array | null
  sentAt: number
}
declare const Bun: {
  connect(options: object): Promise<BunSocket>
}

const load = JSON.parse(process.argv[2] ?? '{}') as Load
const origin = load.tls ? 'https://app.localhost' : 'http://app.localhost'
const room = '3b241101-e2bb-4255-8caf-4136c566a962'

function masked(text: string): Buffer {
  const payload = Buffer.from(text)
  const key = Buffer.from('5a3cf1e7', 'hex')
  for (let index = 0; index < payload.length; index++) payload[index]! ^= key[index & 3]!
  const { length } = payload
  const head =
    length < 126 ? [0x81, 0x80 | length] : length < 65536 ? [0x81, 0xfe, length >> 8, length & 255] : [0x81, 0xff]
  return Buffer.concat([Buffer.from(head), key, payload])
}

function message(bytes: number): string {
  const empty = JSON.stringify({ type: 'chat', message: '', roomId: room })
  const filler = 'The quick brown fox jumps over the lazy dog, 0123456789 times. '.repeat(1 + Math.ceil(bytes / 60))
  return JSON.stringify({ type: 'chat', message: filler.slice(0, bytes - empty.length), roomId: room })
}

const body = message(load.bytes)
const sent = masked(load.protocol === 'ws' ? body : `42${JSON.stringify(['chat', body])}`)
const replyText = load.protocol === 'ws' ? body.length : `42${JSON.stringify(['chat', body])}`.length
const replyBytes = replyText + (replyText < 126 ? 2 : replyText < 65536 ? 4 : 10)
const batch = Buffer.concat(Array.from({ length: load.depth }, () => sent))
const connectFrame = masked('40')

const issued = load.admission === 'ticket' ? await fetchTickets(load.port, load.connections, load.tls === true) : []

function handshake(index: number): Buffer {
  const path = load.protocol === 'socket.io' ? '/socket.io/?EIO=4&transport=websocket' : '/'
  const query = load.admission === 'csrf' ? `?csrf=${randomUUID()}` : ''
  const key = createHmac('sha256', 'k').update(String(index)).digest().subarray(0, 16).toString('base64')
  const lines = [
    `GET ${path}${query} HTTP/1.1`,
    'Host: app.localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    `Origin: ${origin}`,
    `Cookie: sid=s${index}`,
    ...(load.admission === 'ticket' ? [`Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${issued[index]}`] : []),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

let counting = false
let replies = 0
let running = 0
let allRunning: () => void = () => undefined
const latencies = new Uint32Array(1_000_000)
let sampled = 0

function send(socket: BunSocket, bytes: Uint8Array): void {
  const taken = socket.write(bytes)
  if (taken < bytes.length) socket.data.unsent = bytes.subarray(Math.max(0, taken))
}

function start(socket: BunSocket): void {
  socket.data.stage = 'running'
  socket.data.awaited = replyBytes * load.depth
  running++
  if (running === load.connections) allRunning()
}

function next(socket: BunSocket): void {
  const { data } = socket
  if (counting) {
    replies += load.depth
    latencies[sampled++ % latencies.length] = (performance.now() - data.sentAt) * 1000
  }
  data.awaited = replyBytes * load.depth
  data.sentAt = performance.now()
  send(socket, batch)
}

const handlers = {
  drain(socket: BunSocket) {
    const { unsent } = socket.data
    socket.data.unsent = null
    if (unsent !== null) send(socket, unsent)
  },
  data(socket: BunSocket, chunk: Buffer) {
    const { data } = socket
    if (data.stage === 'running') {
      data.awaited -= chunk.length
      if (data.awaited === 0) next(socket)
      else if (data.awaited < 0)
        fail(`a reply is longer than ${replyBytes} bytes: ${chunk.toString('latin1').slice(0, 200)}`)
      return
    }
    data.text += chunk.toString('latin1')
    if (!data.text.includes('\r\n\r\n')) return
    if (!data.text.startsWith('HTTP/1.1 101')) fail(data.text.slice(0, 300))
    if (load.protocol === 'ws') start(socket)
    else if (data.stage === 'handshake' && data.text.includes('"sid"')) {
      data.stage = 'prelude'
      send(socket, connectFrame)
    } else if (data.text.includes('40{')) start(socket)
  },
  close: (socket: BunSocket) => {
    if (!finished) fail(`the server closed a connection: ${socket.data.text.slice(-200)}`)
  },
  error: (_socket: BunSocket, error: Error) => fail(error.message),
  connectError: (_socket: BunSocket, error: Error) => fail(error.message),
}
let finished = false

function fail(reason: string): never {
  process.stdout.write(`${JSON.stringify({ error: reason })}\n`)
  process.exit(1)
}

const sockets: BunSocket[] = []
const opened = new Promise<void>(resolve => (allRunning = resolve))
for (let index = 0; index < load.connections; index++) {
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: load.port,
    ...(load.tls && { tls: { rejectUnauthorized: false } }),
    data: { stage: 'handshake', text: '', awaited: 0, unsent: null, sentAt: 0 } satisfies Client,
    socket: handlers,
  })
  sockets.push(socket)
  send(socket, handshake(index))
}
await opened
for (const socket of sockets) next(socket)
await new Promise(resolve => setTimeout(resolve, load.warmup * 1000))
process.stdout.write('{"started":true}\n')
const serverFrom = cpuOf(load.pid)
const cpu = process.cpuUsage()
const from = performance.now()
counting = true
await new Promise(resolve => setTimeout(resolve, load.seconds * 1000))
counting = false
const seconds = (performance.now() - from) / 1000
const spent = process.cpuUsage(cpu)
const server = cpuOf(load.pid) - serverFrom
finished = true
const sorted = latencies.subarray(0, Math.min(sampled, latencies.length)).toSorted()
const quantile = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
process.stdout.write(
  `${JSON.stringify({
    messages: replies,
    seconds,
    perSecond: replies / seconds,
    loadCpu: (spent.user + spent.system) / 1e6 / seconds,
    serverCpu: server / seconds,
    microsPerMessage: (server / replies) * 1e6,
    p50: quantile(0.5),
    p99: quantile(0.99),
  })}\n`,
)
process.exit(0)
