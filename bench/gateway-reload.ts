// `npm run bench:gateway-reload`: sockets on a route that does not change, while another one does, again and again.
// Every message is numbered: a lost, doubled or reordered one, or a closed socket, fails the run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createGateway, type GatewayConfig } from '@sallyport/gateway'
import { createGuard } from 'sallyport'
import { WebSocket } from 'ws'
import { gatewayConfig } from './gateway/config.ts'
import { pinned } from './servers.ts'

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '5000' },
    moved: { type: 'string', default: '50' },
    reloads: { type: 'string', default: '200' },
  },
})
const [sockets, moved, reloads] = [values.sockets, values.moved, values.reloads].map(Number) as [number, number, number]

// The backend in a process of its own: a pair has two descriptors here, and its client a third.
const [command, args] = pinned(1, 'bun', [fileURLToPath(new URL('servers/bun-serve.ts', import.meta.url))])
const backend = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
process.on('exit', () => backend.kill())
const told = JSON.parse(String((await once(createInterface(backend.stdout), 'line'))[0])) as { readonly port: number }
const base = gatewayConfig(told.port)

/** The route that stays, and one whose policy is another at every reload. */
function configAt(reload: number): GatewayConfig {
  const [stays] = base.routes
  const changes = {
    ...stays!,
    id: 'changes',
    path: '/changes',
    policy: { ...stays!.policy, message: { ...stays!.policy.message, strikes: reload + 1 } },
  }
  return { ...base, routes: [stays!, changes] }
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const gateway = createGateway({
  config: configAt(0),
  guardOf: config =>
    createGuard({
      ...config.policy,
      handshake: { ...config.policy.handshake, session: () => ({ id: 's', user: 'u' }) },
    } as Parameters<typeof createGuard>[0]),
  log: silent,
})
await gateway.listen()
const port = gateway.ports.get('main') ?? 0

const seen = { closed: 0 }
let misplaced = 0
let received = 0
let longest = 0
let running = true

async function open(path: string): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    origin: 'http://app.localhost',
    perMessageDeflate: false,
  })
  await once(client, 'open')
  return client
}

/** Between an answer and the next message of a socket, in ms, on average. */
const PAUSE_MS = 1000

/** Sends numbered messages, one at a time, for as long as the run lasts. */
function talk(client: WebSocket): void {
  let next = 0
  let sentAt = 0
  const send = (): void => {
    sentAt = performance.now()
    client.send(JSON.stringify({ type: 'chat', message: String(next), roomId: '3b241101-e2bb-4255-8caf-4136c566a962' }))
  }
  client.on('message', (data: Buffer) => {
    const { message } = JSON.parse(data.toString()) as { readonly message: string }
    if (message !== String(next)) misplaced++
    received++
    next++
    longest = Math.max(longest, performance.now() - sentAt)
    if (running) setTimeout(send, PAUSE_MS * (0.5 + Math.random()))
  })
  client.on('close', () => seen.closed++)
  client.on('error', () => undefined)
  send()
}

const clients: WebSocket[] = []
for (let index = 0; index < sockets + moved; index += 100) {
  const count = Math.min(100, sockets + moved - index)
  clients.push(
    ...(await Promise.all(Array.from({ length: count }, (_, at) => open(index + at < sockets ? '/' : '/changes')))),
  )
}
for (const client of clients) talk(client)
const from = performance.now()
let spent = 0
for (let reload = 1; reload <= reloads; reload++) {
  const began = performance.now()
  await gateway.replace(configAt(reload))
  spent += performance.now() - began
  await new Promise(resolve => setTimeout(resolve, 10))
}
const seconds = (performance.now() - from) / 1000
const before = received
while (received < before + clients.length && seen.closed === 0) await new Promise(resolve => setTimeout(resolve, 50))
running = false
const result = {
  sockets,
  moved,
  reloads,
  seconds: Number(seconds.toFixed(1)),
  messages: received,
  closed: seen.closed,
  misplaced,
  millisecondsEachReload: Number((spent / reloads).toFixed(2)),
  longestRoundTripMs: Math.round(longest),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
process.exit(seen.closed === 0 && misplaced === 0 ? 0 : 1)
