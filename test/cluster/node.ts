// One node of a cluster under test: a process of its own, with real sockets and a real Redis. Its parent gives orders over IPC.
import { openSync, readSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { createGuard, type Session, type Store } from 'sallyport'
import { createMemoryStore } from 'sallyport/store/memory'
import { ipcStore } from 'sallyport/store/ipc'
import { redis, type RedisStoreOptions } from 'sallyport/store/redis'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { connect } from './clients.ts'
import { SECRET, type NodeOrder, type NodeSetup } from './orders.ts'

const setup = JSON.parse(process.argv[2] ?? '{}') as NodeSetup

async function connectStore(): Promise<{ store: Store; ready: () => Promise<void> }> {
  if (setup.sharedPort !== undefined) return { store: ipcStore({ deadlineMs: 5000 }), ready: async () => undefined }
  if (setup.redis === null) return { store: createMemoryStore(), ready: async () => undefined }
  const options: RedisStoreOptions = { secret: SECRET, ...setup.store }
  const client = connect(setup.client, setup.topology ?? 'server', setup.redis)
  const store = redis(client.client, options)
  await client.connected()
  return { store, ready: () => store.ready() }
}

const { store, ready } = await connectStore()
// On a machine that is busy starting others the first answer may be late.
for (let nth = 0; ; nth++) {
  try {
    await ready()
    break
  } catch (error) {
    if (nth === 20) throw error
    await wait(100)
  }
}

const guard = createGuard({
  // The nodes of one cluster have one name: caps and budgets on a shared store are counted by it.
  name: 'cluster',
  handshake: {
    transport: { dangerouslyAllowPlaintext: true },
    origin: { allow: ['https://app.test'] },
    session(request) {
      const [user, id] = (request.cookie('sid') ?? '').split('~')
      return user && id ? ({ user, id } satisfies Session) : null
    },
    ticket: { secret: SECRET, ttl: setup.ticketTtlMs ?? 30_000 },
    rate: {
      perIp: { attempts: 10_000_000, per: '1 minute' },
      perUser: { attempts: 10_000_000, per: '1 minute' },
      total: { attempts: 10_000_000, per: '1 minute' },
    },
    connections: { total: 100_000, perIp: 100_000, strangersPerIp: 100_000, perUser: 10 },
  },
  message: {
    schema: { chat: z.object({ type: z.literal('chat'), message: z.string().max(1000) }) },
    rate: {
      messages: 10_000_000,
      per: '1 minute',
      bytes: '1 GB',
      perUser: { messages: setup.perUser ?? 1_000_000, per: '1 minute' },
      perIp: { messages: 10_000_000, per: '1 minute' },
      exceed: 'drop',
    },
  },
  store,
})

let handled = 0
const states: { at: number; state: string; detail: string }[] = []
store.onState?.(({ state, detail }) => states.push({ at: Date.now(), state, detail }))
const closes = new Map<string, number>()
guard.on(event => {
  if (event.kind === 'close' && event.code !== undefined) closes.set(event.code, (closes.get(event.code) ?? 0) + 1)
})

const server = createServer((request, response) => void guard.ticket(request, response))
const sockets = new WebSocketServer({ server, ...guard.ws() })
sockets.on('connection', socket => {
  guard.handle(socket, {
    chat(message, connection) {
      handled++
      connection.send({ type: 'chat', message: message.message })
    },
  })
})
/** How long each refused or accepted handshake was held, in ms, and how much of that this process wanted a CPU and had none. */
let held: (readonly [ms: number, offCpuMs: number])[] = []
const loop = monitorEventLoopDelay({ resolution: 5 })
loop.enable()
// Kept open: to open it for each handshake would cost as much as the handshake's own way to the store.
const schedule = openSchedule()
const told = Buffer.alloc(128)
function openSchedule(): number | null {
  try {
    return openSync('/proc/self/schedstat', 'r')
  } catch {
    return null
  }
}
/** Ms that the main thread has waited for a CPU since its start; 0 where the kernel does not tell. */
function offCpu(): number {
  if (schedule === null) return 0
  const length = readSync(schedule, told, 0, told.length, 0)
  return Number(told.toString('latin1', 0, length).split(' ')[1]) / 1e6
}
let isTimed = false
server.prependListener('upgrade', (_request, socket) => {
  if (!isTimed) return
  const from = performance.now()
  const offFrom = offCpu()
  const answered = (): void => void held.push([performance.now() - from, offCpu() - offFrom])
  const end = socket.write.bind(socket)
  // The first write is the answer.
  socket.write = ((...args: Parameters<typeof end>) => {
    answered()
    socket.write = end
    return end(...args)
  }) as typeof socket.write
  const finish = socket.end.bind(socket)
  socket.end = ((...args: Parameters<typeof finish>) => {
    if (socket.write !== end) answered()
    socket.write = end
    socket.end = finish
    return finish(...args)
  }) as typeof socket.end
})

const orders: Record<NodeOrder['order'], (order: any) => unknown> = {
  revoke: ({ target }) => guard.revoke(target),
  stats: () => ({
    handled,
    states,
    closes: Object.fromEntries(closes),
    counters: guard.counters(),
    rss: process.memoryUsage().rss,
    cpuMicros: process.cpuUsage().user + process.cpuUsage().system,
  }),
  held: () => {
    const answer = { held, busyMs: loop.max / 1e6 }
    isTimed = true
    held = []
    loop.reset()
    return answer
  },
  exit: () => setImmediate(() => process.exit(0)),
}
process.on('message', (message: NodeOrder & { id: number }) => {
  void (async () => {
    try {
      const value = await orders[message.order](message)
      process.send?.({ id: message.id, value: typeof value === 'object' ? value : null })
    } catch (error) {
      process.send?.({ id: message.id, error: error instanceof Error ? error.message : 'failed' })
    }
  })()
})
// An orphan ends by itself.
process.on('disconnect', () => process.exit(0))

server.listen({ port: setup.sharedPort ?? 0, host: setup.host ?? '127.0.0.1', backlog: 8192 }, () => {
  process.send?.({ listening: (server.address() as AddressInfo).port })
})
