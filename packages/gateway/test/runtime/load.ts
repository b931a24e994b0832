// `node --conditions=sallyport-source packages/gateway/test/runtime/load.ts [sockets] [reloads]`: reload under load, with figures.
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { start } from '../../demo/started.ts'
import { ADMIN_TOKEN, type GatewayProcess, startGateway } from './gateway-process.ts'

const COOKIE_SECRET = 'b7Qw2Zr9Xk4Tn1Vc8Mf5Jd3Hs6Lp0GyE'
const ORIGIN = 'https://app.test'

/** What was seen. */
export interface LoadFigures {
  readonly sockets: number
  readonly reloads: number
  readonly dropped: number
  /** Echoes that came out of turn, twice, or not at all. */
  readonly misordered: number
  readonly echoes: number
  /** Ms of one reload, from the request to the answer. */
  readonly reloadMs: { readonly median: number; readonly most: number }
  /** Longest wait for an echo, in ms, while reloads ran. */
  readonly slowestEchoMs: number
  readonly seconds: number
  readonly residentMiB: { readonly before: number; readonly after: number }
}

/** A configuration whose route `chat` is always the same, and whose route `other` is another one each time. */
export function configOf(backend: number, round: number): string {
  const route = (path: string, bytes: number): string => `
    path: ${path}
    upstream: echo
    session: { signedCookie: { cookie: sid, secrets: [${COOKIE_SECRET}] } }
    handshake:
      origin: { allow: [${ORIGIN}] }
      transport: { dangerouslyAllowPlaintext: true }
      host: { allow: [127.0.0.1] }
      ticket: { dangerouslyWithoutTicket: true }
      rate: { perIp: { attempts: 1000000, per: 1 minute }, perUser: { attempts: 1000000, per: 1 minute }, total: { attempts: 1000000, per: 1 minute } }
      connections: { total: 20000, perIp: 20000 }
    message:
      size: { bytes: ${bytes} }
      rate: { messages: 100000, per: 1 minute, perIp: { messages: 100000000, per: 1 minute } }
      schema:
        chat: { type: object, required: [type, n], properties: { type: { const: chat }, n: { type: integer } } }`
  return `name: load
listeners: { public: { address: '127.0.0.1:0' } }
upstreams: { echo: { targets: ['ws://127.0.0.1:${backend}'] } }
routes:
  chat:${route('/chat', 4096)}
  other:${route('/other', 4096 + round)}
admin: { address: '127.0.0.1:0', token: ${ADMIN_TOKEN} }
log: { level: info }
`
}

/** The header of a signed-in client. */
export function cookieOf(user: string): string {
  const signature = createHmac('sha256', COOKIE_SECRET).update(user).digest('base64').replace(/=+$/, '')
  return `sid=${encodeURIComponent(`s:${user}.${signature}`)}`
}

/** Opens one client of a route. */
export function open(port: number, path: string, user: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
      origin: ORIGIN,
      headers: { Cookie: cookieOf(user) },
      perMessageDeflate: false,
    })
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Sockets that talk all the while, and reloads one after the other. */
export async function reloadUnderLoad(sockets: number, reloads: number): Promise<LoadFigures> {
  const backend = await start(process.execPath, [join(import.meta.dirname, 'echo.ts')], {}, line =>
    line.startsWith('{'),
  )
  const { port: backendPort } = JSON.parse(backend.lines[0]!) as { port: number }
  const gateway = await startGateway(configOf(backendPort, 0))
  const began = performance.now()
  const seen = { dropped: 0, misordered: 0, echoes: 0, slowest: 0 }
  let isOver = false
  const clients: WebSocket[] = []
  try {
    for (let first = 0; first < sockets; first += 100) {
      const batch = Array.from({ length: Math.min(100, sockets - first) }, (_, index) =>
        open(gateway.port, '/chat', `user-${first + index}`),
      )
      clients.push(...(await Promise.all(batch)))
    }
    const talking = clients.map(client => talk(client, () => isOver, seen))
    const before = await resident(gateway)
    const times: number[] = []
    for (let round = 1; round <= reloads; round++) {
      gateway.write(configOf(backendPort, round))
      const asked = performance.now()
      const { status, json } = await gateway.admin('POST', '/-/reload')
      times.push(performance.now() - asked)
      if (status !== 200 || !json.kept.includes('chat') || !json.changed.includes('other'))
        throw new Error(`reload ${round}: ${status} ${JSON.stringify(json)}`)
    }
    const after = await resident(gateway)
    isOver = true
    await Promise.all(talking)
    const sorted = times.toSorted((a, b) => a - b)
    return {
      sockets,
      reloads,
      dropped: seen.dropped,
      misordered: seen.misordered,
      echoes: seen.echoes,
      reloadMs: { median: Math.round(sorted[Math.floor(sorted.length / 2)]!), most: Math.round(sorted.at(-1)!) },
      slowestEchoMs: Math.round(seen.slowest),
      seconds: Math.round((performance.now() - began) / 100) / 10,
      residentMiB: { before, after },
    }
  } finally {
    isOver = true
    for (const client of clients) client.terminate()
    await gateway.end()
    await backend.end()
  }
}

/** Says a number, waits for its echo, says the next. Resolves with the last echo, or when the socket has gone. */
function talk(
  socket: WebSocket,
  isOver: () => boolean,
  seen: { dropped: number; misordered: number; echoes: number; slowest: number },
): Promise<void> {
  return new Promise(resolve => {
    let n = 0
    let saidAt = 0
    const say = (): void => {
      saidAt = performance.now()
      socket.send(`{"type":"chat","n":${++n}}`)
    }
    socket.on('message', data => {
      seen.echoes++
      seen.slowest = Math.max(seen.slowest, performance.now() - saidAt)
      // oxlint-disable-next-line typescript/no-base-to-string -- a Buffer's is its text
      if (String(data) !== `{"type":"chat","n":${n}}`) seen.misordered++
      if (isOver()) resolve()
      else setTimeout(say, 200 + Math.random() * 800)
    })
    socket.on('close', () => {
      if (!isOver()) seen.dropped++
      resolve()
    })
    socket.on('error', () => socket.terminate())
    say()
  })
}

async function resident(gateway: GatewayProcess): Promise<number> {
  const { text } = await gateway.admin('GET', '/metrics')
  return Math.round(Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1] ?? 0) / 1024 / 1024)
}

if (import.meta.main) {
  const [sockets = 5000, reloads = 200] = process.argv.slice(2).map(Number)
  const figures = await reloadUnderLoad(sockets, reloads)
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  process.exit(figures.dropped + figures.misordered === 0 ? 0 : 1)
}
