// Opening handshakes, 32 at a time, on Bun's sockets: connect, ask, read the answer, close.
// Usage: bun load-handshakes.ts '{"port":1,"pid":1,"count":20000,"kind":"refuse","admission":"none"}'
import { randomBytes, randomUUID } from 'node:crypto'
import { cpuOf } from './cpu.ts'
import { fetchTickets } from './tickets.ts'

interface Load {
  readonly port: number
  readonly pid: number
  readonly count: number
  /** `refuse`: from an Origin that is not allowed. */
  readonly kind: 'accept' | 'refuse'
  readonly admission: 'none' | 'csrf' | 'ticket'
}
interface BunSocket {
  data: { answer: string }
  write(bytes: string): number
  terminate(): void
  end(): void
}
declare const Bun: { connect(options: object): Promise<BunSocket> }

const AT_ONCE = 32
const load = JSON.parse(process.argv[2] ?? '{}') as Load
const origin = load.kind === 'accept' ? 'http://app.localhost' : 'http://app.localhost.evil.example'
const tickets =
  load.admission === 'ticket' && load.kind === 'accept' ? await fetchTickets(load.port, load.count, false) : []

function handshake(index: number): string {
  const query = load.admission === 'csrf' ? `?csrf=${randomUUID()}` : ''
  const lines = [
    `GET /${query} HTTP/1.1`,
    'Host: app.localhost',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'Accept-Encoding: gzip, deflate, br',
    'Accept-Language: en-GB,en;q=0.9',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    `Origin: ${origin}`,
    `Cookie: sid=s${index}`,
    ...(tickets.length > 0 ? [`Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${tickets[index]}`] : []),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

let begun = 0
let done = 0
let finish: () => void = () => undefined
const finished = new Promise<void>(resolve => (finish = resolve))

function fail(reason: string): never {
  process.stdout.write(`${JSON.stringify({ error: reason })}\n`)
  process.exit(1)
}

function answered(socket: BunSocket): void {
  const status = Number(socket.data.answer.slice(9, 12))
  const asked = load.kind === 'accept' ? status === 101 : status === 403
  if (!asked) fail(`status ${status}: ${socket.data.answer.slice(0, 300)}`)
  socket.data.answer = 'done'
  done++
  socket.end()
}

const handlers = {
  open(socket: BunSocket) {
    socket.write(handshake(begun++))
  },
  data(socket: BunSocket, chunk: Buffer) {
    if (socket.data.answer === 'done') return
    socket.data.answer += chunk.toString('latin1')
    if (!socket.data.answer.includes('\r\n\r\n')) return
    answered(socket)
  },
  close(socket: BunSocket) {
    if (socket.data.answer !== 'done') fail('the server closed before it answered')
    if (done === load.count) finish()
    else another()
  },
  error: (_socket: BunSocket, error: Error) => fail(error.message),
  connectError: (_socket: BunSocket, error: Error) => fail(error.message),
}
let connects = 0
function another(): void {
  if (connects === load.count) return
  connects++
  void Bun.connect({ hostname: '127.0.0.1', port: load.port, data: { answer: '' }, socket: handlers })
}

const serverFrom = cpuOf(load.pid)
const cpu = process.cpuUsage()
const from = performance.now()
for (let index = 0; index < AT_ONCE; index++) another()
await finished
const seconds = (performance.now() - from) / 1000
const spent = process.cpuUsage(cpu)
const server = cpuOf(load.pid) - serverFrom
process.stdout.write(
  `${JSON.stringify({
    handshakes: load.count,
    seconds,
    perSecond: load.count / seconds,
    loadCpu: (spent.user + spent.system) / 1e6 / seconds,
    serverCpu: server / seconds,
    microsPerHandshake: (server / load.count) * 1e6,
  })}\n`,
)
process.exit(0)
