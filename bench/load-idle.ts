// Connections that are opened and then say nothing, until standard input ends.
// Usage: bun load-idle.ts '{"port":1,"connections":9500,"admission":"none","protocol":"ws"}'
import { randomBytes, randomUUID } from 'node:crypto'
import { fetchTickets } from './tickets.ts'

interface Load {
  readonly port: number
  readonly connections: number
  readonly admission: 'none' | 'csrf' | 'ticket'
  readonly protocol: 'ws' | 'socket.io'
}
interface BunSocket {
  data: { answer: string; told: boolean }
  write(bytes: string | Uint8Array): number
}
declare const Bun: { connect(options: object): Promise<BunSocket> }

const AT_ONCE = 50
const load = JSON.parse(process.argv[2] ?? '{}') as Load
let open = 0
let wake: () => void = () => undefined
let releasing = false

function fail(reason: string): never {
  process.stdout.write(`${JSON.stringify({ error: reason })}\n`)
  process.exit(1)
}

function opened(): void {
  open++
  wake()
}

const SOCKET_IO_CONNECT = Buffer.from('8182000000003430', 'hex')
const handlers = {
  data(socket: BunSocket, chunk: Buffer) {
    const { data } = socket
    if (data.told) return
    data.answer += chunk.toString('latin1')
    if (!data.answer.includes('\r\n\r\n')) return
    if (!data.answer.startsWith('HTTP/1.1 101')) fail(data.answer.slice(0, 300))
    if (load.protocol === 'socket.io' && !data.answer.includes('40{')) {
      if (data.answer.includes('"sid"')) socket.write(SOCKET_IO_CONNECT)
      return
    }
    data.told = true
    data.answer = ''
    opened()
  },
  close() {
    if (!releasing) fail('the server closed a connection')
  },
  error: (_socket: BunSocket, error: Error) => fail(error.message),
  connectError: (_socket: BunSocket, error: Error) => fail(error.message),
}

/** Resolves once fewer than so many of those that were begun are not open yet. */
async function fewerThan(most: number, begun: number): Promise<void> {
  if (begun - open < most) return
  await new Promise<void>(resolve => (wake = resolve))
  await fewerThan(most, begun)
}

const BATCH = 500
for (let begun = 0; begun < load.connections; begun += BATCH) {
  const count = Math.min(BATCH, load.connections - begun)
  // Tickets live for a minute: they are fetched as they are needed.
  const tickets = load.admission === 'ticket' ? await fetchTickets(load.port, count, false) : []
  for (let index = 0; index < count; index++) {
    const path = load.protocol === 'socket.io' ? '/socket.io/?EIO=4&transport=websocket' : '/'
    const query = load.admission === 'csrf' ? `?csrf=${randomUUID()}` : ''
    const socket = await Bun.connect({
      hostname: '127.0.0.1',
      port: load.port,
      data: { answer: '', told: false },
      socket: handlers,
    })
    const ticket = tickets[index]
    const protocol = ticket === undefined ? '' : `Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${ticket}\r\n`
    socket.write(
      `GET ${path}${query} HTTP/1.1\r\nHost: app.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
        `Origin: http://app.localhost\r\nCookie: sid=s${index}\r\n${protocol}\r\n`,
    )
    await fewerThan(AT_ONCE, begun + index)
  }
}
await fewerThan(1, load.connections)
process.stdout.write(`${JSON.stringify({ open })}\n`)
await new Promise(resolve => process.stdin.on('end', resolve).resume())
releasing = true
process.exit(0)
