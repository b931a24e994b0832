// `npm run bench:cluster-scale`: prints the calculation of docs/cluster/figures.md, and holds it against a cluster that runs here.
import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from 'redis'
import { redis, type RedisStore } from 'sallyport/store/redis'
import { startRedis } from '../packages/sallyport/test/store/redis-server.ts'
import { type Demand, demandOf, LOADS, type Load } from './cluster-scale.ts'

/** What was counted of a running cluster. */
export interface Measured {
  readonly keys: number
  readonly bytes: number
  readonly callsInAll: number
  /** Seconds of Redis's time a second. */
  readonly cores: number
}

/** Runs a load in small: real stores, a real Redis, connections that open, talk and close as the load says. */
export async function simulate(load: Load, seconds: number): Promise<Measured> {
  const server = await startRedis()
  const stores: { store: RedisStore; end: () => void }[] = []
  try {
    for (let nth = 0; nth < load.nodes; nth++) {
      const client = createClient({ socket: { port: server.port } })
      const store = redis(client, {
        secret: 'a secret of a simulation, long enough',
        buckets: load.buckets,
        deadlineMs: 5000,
      })
      await client.connect()
      await store.ready()
      stores.push({ store, end: () => client.destroy() })
    }
    const info = async (section: string, name: string): Promise<number> =>
      Number(new RegExp(`${name}[:=]([\\d.]+)`).exec(await server.admin.info(section))?.[1] ?? 0)
    const empty = await info('memory', 'used_memory')

    let serial = 0
    const live: { store: RedisStore; id: string; user: string; ip: string }[] = []
    const perIp = { amount: 30, perMs: 60_000, burst: 30 }
    const open = async (): Promise<void> => {
      const nth = serial++
      const { store } = stores[Math.floor(Math.random() * stores.length)]!
      const one = {
        store,
        id: `c${nth}`,
        user: `u${Math.floor(nth / load.perUser)}`,
        ip: `i${Math.floor(nth / load.perIp)}`,
      }
      const all = { amount: 1e9, perMs: 1000, burst: 1e9 }
      const session = `s${nth}`
      // A ticket, then the handshake: what the doors ask for.
      await store.take(`handshake:ip:${one.ip}`, 1, perIp)
      await store.take('handshake:all', 1, all)
      await store.revokedAt(session, one.user)
      await store.take(`handshake:ip:${one.ip}`, 1, perIp)
      await store.take('handshake:all', 1, all)
      for (const key of ['connections:all', `connections:ip:${one.ip}`]) await store.lease(key, one.id, 1e9, 600_000)
      // What a look is good for is over by the time that a person has come from the ticket to the handshake.
      await store.revokedAt(`${session}'`, one.user)
      await store.lease(`connections:user:${one.user}`, one.id, 1e9, 600_000)
      await store.once(`t${nth}`, 32_000)
      live.push(one)
    }
    const close = (): void => {
      const at = Math.floor(Math.random() * live.length)
      const [one] = live.splice(at, 1)
      if (!one) return
      for (const key of ['connections:all', `connections:ip:${one.ip}`, `connections:user:${one.user}`]) {
        void one.store.release(key, one.id)
      }
    }
    const talk = async (): Promise<void> => {
      const one = live[Math.floor(Math.random() * live.length)]
      if (!one) return
      const budget = { amount: 300, perMs: 60_000, burst: 300 }
      await one.store.takeShare!(`message:user:${one.user}`, 1, budget)
      await one.store.takeShare!(`message:ip:${one.ip}`, 1, budget)
    }
    for (let from = 0; from < load.sockets; from += 200) {
      await Promise.all(Array.from({ length: Math.min(200, load.sockets - from) }, () => open()))
    }
    // Tickets of the filling are forgotten by hand: the load's own are counted.
    for (const key of await server.admin.keys('*:o:*')) await server.admin.del(key)
    for (const key of await server.admin.keys('*:b:*')) await server.admin.del(key)
    await wait(2000)

    await server.admin.config('RESETSTAT')
    const cpu = async (): Promise<number> => (await info('cpu', 'used_cpu_user')) + (await info('cpu', 'used_cpu_sys'))
    const cpuBefore = await cpu()
    const from = performance.now()
    const opens = load.sockets / load.lifeSeconds
    const messages = load.sockets / load.messageSeconds
    let opened = 0
    let said = 0
    const work: Promise<void>[] = []
    for (;;) {
      const elapsed = (performance.now() - from) / 1000
      if (elapsed >= seconds) break
      for (; opened < opens * elapsed; opened++) {
        close()
        work.push(open())
      }
      for (; said < messages * elapsed; said++) work.push(talk())
      await wait(5)
    }
    await Promise.all(work)
    const elapsed = (performance.now() - from) / 1000
    const calls = await info('commandstats', 'cmdstat_evalsha:calls')
    const cores = ((await cpu()) - cpuBefore) / elapsed
    return {
      keys: (await server.admin.keys('*')).length,
      bytes: (await info('memory', 'used_memory')) - empty,
      callsInAll: calls / elapsed,
      cores,
    }
  } finally {
    for (const { store, end } of stores) {
      await store.close()
      end()
    }
    await server.close()
  }
}

const number = (value: number): string =>
  value >= 10 ? Math.round(value).toLocaleString('en') : Number(value.toFixed(3)).toString()

/** The table of docs/cluster/figures.md. */
export function tableOf(loads: readonly (Load & { readonly name: string })[]): string {
  const demands = loads.map(load => demandOf(load))
  const row = (name: string, of: (demand: Demand) => number): string =>
    `| ${name} | ${demands.map(demand => number(of(demand))).join(' | ')} |`
  const first = demands[0]!
  return [
    `| | ${loads.map(({ name, sockets, nodes }) => `${name}: ${number(sockets)} sockets, ${nodes} nodes`).join(' | ')} |`,
    `| --- | ${loads.map(() => '---').join(' | ')} |`,
    row('keys', ({ keys }) => keys),
    row('bytes', ({ bytes }) => bytes),
    ...(Object.keys(first.calls) as (keyof Demand['calls'])[]).map(name =>
      row(`calls a second: ${name}`, ({ calls }) => calls[name]),
    ),
    row('calls a second in all', ({ callsInAll }) => callsInAll),
    row('cores of Redis', ({ cores }) => cores),
    row('servers at 40 % of a core', ({ servers }) => servers),
  ].join('\n')
}

if (import.meta.main) {
  process.stdout.write(`${tableOf(LOADS)}\n\n`)
  const small: Load = {
    sockets: 6000,
    nodes: 6,
    lifeSeconds: 120,
    messageSeconds: 20,
    perUser: 1.5,
    perIp: 2,
    buckets: 16,
    cluster: false,
  }
  const expected = demandOf(small)
  const measured = await simulate(small, 40)
  process.stdout.write('| the same in small, 6 000 sockets on 6 nodes | calculated | measured |\n| --- | --- | --- |\n')
  for (const name of ['keys', 'bytes', 'callsInAll', 'cores'] as const) {
    process.stdout.write(`| ${name} | ${number(expected[name])} | ${number(measured[name])} |\n`)
  }
  process.exit(0)
}
