// `npm run bench:reload-rights -- [sockets] [fault]`: reloads of a changed route while the session endpoint is slow or fails, or Redis is
// stopped. No socket may be lost within the grace, and none may live beyond it. Ends with 1 where that does not hold.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { type RedisServer, startRedis } from '../../../sallyport/test/store/redis-server.ts'
import { start } from '../../demo/started.ts'
import { ADMIN_TOKEN, type GatewayProcess, startGateway } from './gateway-process.ts'

const ORIGIN = 'https://app.test'
const SECRET = 'qX8mT2vB6nK4zR9wC1jL7pH5dF3sG0yA'

/** What goes wrong while the route is reloaded. */
export type Fault = 'slow' | 'fails' | 'hangs' | 'redis'

/** Options of {@link reloadInDoubt}. Times in ms. */
export interface Scene {
  readonly fault: Fault
  readonly sockets: number
  readonly graceMs: number
  readonly reloadEveryMs: number
  /** How long the fault lasts, from the first reload on; or `closed`: until every socket is closed. */
  readonly forMs: number | 'closed'
  /** Time of one answer of a slow endpoint. */
  readonly slowMs?: number
}

/** What was seen. Ages are ms from the last yes of the endpoint to the close. */
export interface Figures {
  readonly fault: Fault
  readonly sockets: number
  readonly reloads: number
  readonly closed: number
  /** Closed before the grace was over. */
  readonly early: number
  readonly youngest: number | null
  readonly oldest: number | null
  /** Open at the end whose last yes is older than the grace and its spread. */
  readonly overdue: number
  readonly codes: { readonly [code: string]: number }
  /** Questions to the endpoint since the first reload, and most of them at once. */
  readonly asked: number
  readonly atOnce: number
  /** Ms of the slowest reload, from the request to the answer. */
  readonly slowestReload: number
}

/** The ends after a grace are spread over a tenth of it. */
const SPREAD = 1.1
/** The keeper's tick, a time-out of the endpoint that is still awaited, and the machine. */
const SLACK_MS = 2500
/** Sockets that are to close and do not are waited for no longer. */
const PATIENCE_MS = 90_000

/** The app's endpoint: says yes to everybody, unless it is told otherwise. */
class Endpoint {
  mode: 'ok' | 'slow' | 'fails' | 'hangs' = 'ok'
  slowMs = 500
  asked = 0
  open = 0
  atOnce = 0
  readonly lastYes = new Map<string, number>()
  readonly server: Server = createServer((request, response) => {
    const user = /sid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
    this.asked++
    this.atOnce = Math.max(this.atOnce, ++this.open)
    response.once('close', () => this.open--)
    if (this.mode === 'hangs') return
    if (this.mode === 'fails') {
      response.writeHead(500).end()
      return
    }
    const yes = (): void => {
      if (response.destroyed) return
      this.lastYes.set(user, Date.now())
      response.writeHead(200, { 'X-User': user, 'X-Session': `session-of-${user}` }).end()
    }
    if (this.mode === 'slow') setTimeout(yes, this.slowMs)
    else yes()
  })
}

function configOf(
  ports: { backend: number; endpoint: number; redis: number | null },
  graceMs: number,
  round: number,
): string {
  const store =
    ports.redis === null ? '' : `store: { redis: { url: 'redis://127.0.0.1:${ports.redis}', secret: ${SECRET} } }\n`
  return `name: rights
listeners: { public: { address: '127.0.0.1:0' } }
upstreams: { echo: { targets: ['ws://127.0.0.1:${ports.backend}'] } }
routes:
  chat:
    path: /chat
    upstream: echo
    session:
      forwardAuth: { url: 'http://127.0.0.1:${ports.endpoint}/me', userHeader: X-User, sessionHeader: X-Session, cache: 0 s }
    handshake:
      origin: { allow: [${ORIGIN}] }
      transport: { dangerouslyAllowPlaintext: true }
      host: { allow: [127.0.0.1] }
      ticket: { dangerouslyWithoutTicket: true }
      rate: { dangerouslyOff: true }
      connections: { total: 20000, perIp: 20000 }
    message:
      size: { bytes: ${4096 + round} }
      rate: { dangerouslyOff: true }
      schema: { chat: { type: object, properties: { type: { const: chat } } } }
    lifetime:
      session: { recheck: ${Math.round(graceMs / 2)} ms, grace: ${graceMs} ms }
${store}admin: { address: '127.0.0.1:0', token: ${ADMIN_TOKEN} }
log: { level: info }
`
}

/** Under the load of the opening itself Redis may be late, and a handshake 503: it is tried again. */
async function openOne(port: number, user: string): Promise<WebSocket> {
  for (let left = 20; ; left--) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, {
      origin: ORIGIN,
      headers: { Cookie: `sid=${user}` },
      perMessageDeflate: false,
    })
    try {
      await once(socket, 'open')
      return socket.on('error', () => socket.terminate())
    } catch (error) {
      if (left === 0) throw error
      await pause(250)
    }
  }
}

async function openAll({ port }: GatewayProcess, sockets: number): Promise<readonly WebSocket[]> {
  const clients: WebSocket[] = []
  for (let first = 0; first < sockets; first += 50) {
    const count = Math.min(50, sockets - first)
    clients.push(
      ...(await Promise.all(Array.from({ length: count }, (_, index) => openOne(port, `user-${first + index}`)))),
    )
  }
  return clients
}

/** Opens sockets, lets something go wrong, and reloads the route again and again. */
export async function reloadInDoubt(scene: Scene): Promise<Figures> {
  const { fault, sockets, graceMs, reloadEveryMs, forMs, slowMs = 500 } = scene
  const redis: RedisServer | null = fault === 'redis' ? await startRedis() : null
  const backend = await start(process.execPath, [join(import.meta.dirname, 'echo.ts')], {}, line =>
    line.startsWith('{'),
  )
  const endpoint = new Endpoint()
  endpoint.slowMs = slowMs
  await once(endpoint.server.listen(0, '127.0.0.1'), 'listening')
  const ports = {
    backend: (JSON.parse(backend.lines[0]!) as { port: number }).port,
    endpoint: (endpoint.server.address() as AddressInfo).port,
    redis: redis?.port ?? null,
  }
  const gateway = await startGateway(configOf(ports, graceMs, 0))
  const ages: number[] = []
  const codes: { [code: string]: number } = {}
  let clients: readonly WebSocket[] = []
  try {
    clients = await openAll(gateway, sockets)
    let isOver = false
    // What the endpoint says while Redis is stopped is no yes: nobody knows whether the session was revoked.
    const lastYes = fault === 'redis' ? new Map(endpoint.lastYes) : endpoint.lastYes
    const ageOf = (index: number): number => Date.now() - lastYes.get(`user-${index}`)!
    clients.forEach((client, index) =>
      client.on('close', code => {
        if (isOver) return
        ages.push(ageOf(index))
        codes[code] = (codes[code] ?? 0) + 1
      }),
    )
    endpoint.asked = 0
    endpoint.atOnce = 0
    if (fault === 'redis') redis!.stop()
    else endpoint.mode = fault
    const until = Date.now() + (forMs === 'closed' ? PATIENCE_MS : forMs)
    const isDone = (): boolean => Date.now() >= until || (forMs === 'closed' && ages.length === sockets)
    let reloads = 0
    let slowestReload = 0
    while (!isDone()) {
      gateway.write(configOf(ports, graceMs, ++reloads))
      const asked = performance.now()
      const { status, json } = await gateway.admin('POST', '/-/reload')
      slowestReload = Math.max(slowestReload, performance.now() - asked)
      if (status !== 200 || !json.changed.includes('chat')) throw new Error(`reload: ${status} ${JSON.stringify(json)}`)
      await pause(Math.max(0, Math.min(reloadEveryMs, until - Date.now())))
    }
    isOver = true
    const overdue = clients.filter(
      ({ readyState }, index) => readyState === WebSocket.OPEN && ageOf(index) > graceMs * SPREAD + SLACK_MS,
    ).length
    return {
      fault,
      sockets,
      reloads,
      closed: ages.length,
      early: ages.filter(age => age < graceMs).length,
      youngest: ages.length === 0 ? null : Math.min(...ages),
      oldest: ages.length === 0 ? null : Math.max(...ages),
      overdue,
      codes,
      asked: endpoint.asked,
      atOnce: endpoint.atOnce,
      slowestReload: Math.round(slowestReload),
    }
  } finally {
    for (const client of clients) client.terminate()
    redis?.go()
    await gateway.end()
    await backend.end()
    endpoint.server.closeAllConnections()
    endpoint.server.close()
    await redis?.close()
  }
}

/** Whether no socket was lost within the grace, and none lived beyond it. */
export function holds({ early, overdue, oldest }: Figures, graceMs: number): boolean {
  return early === 0 && overdue === 0 && (oldest ?? 0) <= graceMs * SPREAD + SLACK_MS
}

if (import.meta.main) {
  const sockets = Number(process.argv[2] ?? 5000)
  const graceMs = 30_000
  const only = process.argv[3]
  const all: readonly Scene[] = [
    { fault: 'slow', sockets, graceMs, reloadEveryMs: 10_000, forMs: 60_000, slowMs: 250 },
    { fault: 'fails', sockets, graceMs, reloadEveryMs: 1000, forMs: 40_000 },
    { fault: 'hangs', sockets, graceMs, reloadEveryMs: 1000, forMs: 40_000 },
    { fault: 'redis', sockets, graceMs, reloadEveryMs: 1000, forMs: 40_000 },
  ]
  const scenes = all.filter(({ fault }) => only === undefined || fault === only)
  let isGood = true
  for (const scene of scenes) {
    const figures = await reloadInDoubt(scene)
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    isGood &&= holds(figures, graceMs)
  }
  process.exit(isGood ? 0 : 1)
}
