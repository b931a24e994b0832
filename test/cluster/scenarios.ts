import { setTimeout as wait } from 'node:timers/promises'
import { type RedisServer, startRedis } from '../../packages/sallyport/test/store/redis-server.ts'
import { type FaultReport, runFault } from './fault.ts'
import { type FleetNode, open, openUntil, quantile, rawHandshake, startNode, ticketFor } from './fleet.ts'
import { FAILOVERS } from './failovers.ts'
import { createNamespace } from './namespace.ts'
import { type Scale, type Scenario, stateNote, withFleet } from './scenario.ts'
import { startSlowProxy } from './slow-proxy.ts'

const LAPSE_MS = 8000

async function withRedis<T>(
  options: Parameters<typeof startRedis>[0],
  scale: Scale,
  work: (server: RedisServer, nodes: FleetNode[]) => Promise<T>,
): Promise<T> {
  const server = await startRedis(options)
  try {
    return await withFleet({ redis: { host: '127.0.0.1', port: server.port } }, scale, nodes => work(server, nodes))
  } finally {
    await server.close()
  }
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill -9 of a node',
    run: scale =>
      withRedis({}, scale, (_server, nodes) => {
        const [first, second, third] = nodes as [FleetNode, FleetNode, FleetNode]
        let freed = -1
        let struck = 0
        const user = `filler-${Date.now()}`
        return runFault({
          name: 'kill -9 of a node',
          nodes,
          survivors: [first, second],
          gone: third,
          revoker: first,
          async strike() {
            // A user whose every place is on the node that dies.
            await Promise.all([...Array(10).keys()].map(nth => open(third, user, `f${nth}`)))
            const full = await open(first, user, 'eleventh')
            if (full.status !== 429) throw new Error(`the cap does not hold before the kill: ${full.status}`)
            await third.kill('SIGKILL')
            struck = performance.now()
          },
          lastMs: 1000,
          mend: () => undefined,
          patienceMs: 10_000,
          async note() {
            const patience = scale.graceMs + LAPSE_MS + 5000
            const opened = await openUntil(
              ({ status }) => status === 101,
              patience,
              () => open(first, user, 'next'),
            )
            if (opened.status === 101) freed = Math.round(performance.now() - struck)
            return `its places lapsed after ${freed} ms; the bound is ${scale.graceMs + LAPSE_MS} ms`
          },
        })
      }),
  },
  {
    name: 'kill -9 of Redis, append-only file',
    run: scale =>
      withRedis({ appendOnly: true }, scale, (server, nodes) =>
        killed(server, nodes, scale, 'kill -9 of Redis, append-only file'),
      ),
  },
  {
    name: 'kill -9 of Redis, no persistence: it restarts empty',
    run: scale =>
      withRedis({}, scale, (server, nodes) =>
        killed(server, nodes, scale, 'kill -9 of Redis, no persistence: it restarts empty'),
      ),
  },
  {
    name: 'FLUSHALL',
    run: scale =>
      withRedis({}, scale, (server, nodes) =>
        runFault({
          name: 'FLUSHALL',
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          strike: async () => void (await server.admin.flushall()),
          lastMs: 0,
          mend: () => undefined,
          patienceMs: 20_000,
          note: () => stateNote(nodes[0]!),
        }),
      ),
  },
  {
    name: 'a cut between one node and Redis (network namespace)',
    async run(scale) {
      const space = createNamespace()
      const server = await startRedis({ bind: '0.0.0.0' })
      const { graceMs, deadlineMs } = scale
      const nodes: FleetNode[] = []
      try {
        const setup = { client: 'node-redis', store: { graceMs, deadlineMs } } as const
        for (const index of [0, 1]) {
          nodes.push(await startNode({ ...setup, index, redis: { host: '127.0.0.1', port: server.port } }))
        }
        const far = { ...setup, index: 2, redis: { host: space.redisHost, port: server.port }, host: '0.0.0.0' }
        const cut = await startNode(far, space.prefix, space.host)
        nodes.push(cut)
        return await runFault({
          name: 'a cut between one node and Redis (network namespace)',
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          strike: () => space.cut(),
          lastMs: scale.awayMs,
          mend: () => space.join(),
          patienceMs: 30_000,
          note: async () => `cut for ${scale.awayMs} ms; ${await stateNote(cut)}`,
        })
      } finally {
        await Promise.all(nodes.map(node => node.kill()))
        await server.close()
        space.close()
      }
    },
  },
  {
    name: 'SIGSTOP of Redis for longer than a grace of 3 s',
    run: scale => {
      const graceMs = 3000
      return withRedis({}, { ...scale, graceMs }, (server, nodes) =>
        runFault({
          name: 'SIGSTOP of Redis for longer than a grace of 3 s',
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          strike: () => server.stop(),
          lastMs: graceMs + 2500,
          mend: () => server.go(),
          patienceMs: 20_000,
          note: async () => `they end when the grace does; ${await stateNote(nodes[0]!)}`,
        }),
      )
    },
  },
  {
    name: '2 s of added latency',
    run: scale =>
      withProxy(scale, (proxy, nodes) =>
        runFault({
          name: '2 s of added latency',
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          strike: () => void (proxy.delayMs = 2000),
          lastMs: scale.awayMs,
          mend: () => void (proxy.delayMs = 0),
          patienceMs: 20_000,
          note: () => stateNote(nodes[0]!),
        }),
      ),
  },
  {
    name: '20 ms of latency, under load',
    run: scale =>
      withProxy(scale, async (proxy, nodes) => {
        let note = ''
        return runFault({
          name: '20 ms of latency, under load',
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          async strike() {
            proxy.delayMs = 20
            note = await crowd(nodes, scale.honest)
          },
          lastMs: 0,
          mend: () => void (proxy.delayMs = 0),
          patienceMs: 20_000,
          note: async () => `${note}; ${await stateNote(nodes[0]!)}`,
        })
      }),
  },
  ...FAILOVERS,
  {
    name: 'SIGSTOP of Redis',
    run: scale =>
      withRedis({}, scale, async (server, nodes) => {
        let note = ''
        return runFault({
          name: `SIGSTOP of Redis, ${scale.handshakes} handshakes`,
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          async strike() {
            const ticket = (await ticketFor(nodes[0]!, 'storm', 's')) ?? ''
            // One node: three and those who ask would wait for each other's CPU, and tell of that.
            const one = nodes.slice(0, 1)
            // What is told is how a server fares that has been serving, not how it compiles its first handshakes.
            await storm(one, ticket, 1000)
            server.stop()
            note = await storm(one, ticket, scale.handshakes)
          },
          lastMs: scale.awayMs,
          mend: () => server.go(),
          patienceMs: 20_000,
          note: () => note,
        })
      }),
  },
]

/** Honest clients, thirty at a time, each under a name of its own; answers how they fared. */
async function crowd(nodes: readonly FleetNode[], count: number): Promise<string> {
  const statuses = new Map<string, number>()
  const wave = 30
  for (let from = 0; from < count; from += wave) {
    const answers = await Promise.all(
      Array.from({ length: Math.min(wave, count - from) }, (_, nth) =>
        open(nodes[nth % nodes.length]!, `honest-${from + nth}`, `honest-${from + nth}`),
      ),
    )
    for (const { socket, status, code } of answers) {
      const told = status === 101 ? 'opened' : `${status} ${code}`
      statuses.set(told, (statuses.get(told) ?? 0) + 1)
      socket?.terminate()
    }
  }
  return [...statuses].map(([told, of]) => `${of} ${told}`).join(', ')
}

/** Handshakes in waves that leave no time between them; answers how long the nodes held them. */
async function storm(nodes: readonly FleetNode[], ticket: string, count: number): Promise<string> {
  const statuses = new Map<number, number>()
  const wave = 200
  for (let from = 0; from < count; from += wave) {
    const answers = await Promise.all(
      Array.from({ length: Math.min(wave, count - from) }, (_, nth) =>
        rawHandshake(nodes[nth % nodes.length]!, 'storm', 's', ticket, 20_000),
      ),
    )
    for (const status of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  type Held = { readonly held: readonly (readonly [ms: number, offCpuMs: number])[]; readonly busyMs: number }
  const all = (await Promise.all(nodes.map(node => node.order({ order: 'held' })))) as Held[]
  const held = all.flatMap(node => node.held)
  const busy = Math.max(...all.map(({ busyMs }) => busyMs)).toFixed(0)
  const told = [...statuses].map(([status, of]) => `${of} × ${status}`).join(', ')
  const figures = (times: readonly number[]): string => {
    const [median, p99, most] = [quantile(times, 0.5), quantile(times, 0.99), Math.max(...times)].map(ms =>
      ms.toFixed(1),
    )
    return `median ${median}, p99 ${p99}, most ${most} ms`
  }
  const onCpu = figures(held.map(([ms, offCpuMs]) => ms - offCpuMs))
  return `${told}; held by the node: ${onCpu}; with the time that the node itself waited for a CPU: ${figures(held.map(([ms]) => ms))}, its loop standing still for up to ${busy} ms at once`
}

function killed(server: RedisServer, nodes: readonly FleetNode[], scale: Scale, name: string): Promise<FaultReport> {
  return runFault({
    name,
    nodes,
    survivors: nodes,
    revoker: nodes[0]!,
    // A second, so that the file is written as it would be: everysec.
    strike: async () => {
      await wait(1100)
      await server.kill('SIGKILL')
    },
    lastMs: scale.awayMs,
    mend: () => server.start(),
    patienceMs: 20_000,
    note: async () => `away for ${scale.awayMs} ms; ${await stateNote(nodes[0]!)}`,
  })
}

async function withProxy(
  scale: Scale,
  work: (proxy: Awaited<ReturnType<typeof startSlowProxy>>, nodes: FleetNode[]) => Promise<FaultReport>,
): Promise<FaultReport> {
  const server = await startRedis()
  const proxy = await startSlowProxy(server.port)
  try {
    return await withFleet({ redis: { host: '127.0.0.1', port: proxy.port } }, scale, nodes => work(proxy, nodes))
  } finally {
    await proxy.close()
    await server.close()
  }
}
