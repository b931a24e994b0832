// `npm run bench:gateway`: the gateway, with every message checked, beside proxies that relay blindly. `-- --quick` for a rough idea.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Case, CASES, nameOf, wordsOf } from './cases.ts'
import { type ReportRow, shown, writeReport } from './report.ts'
import * as peers from './servers.ts'
import { ratioOf, spreadOf, turned } from './statistics.ts'

interface Result {
  readonly messages: number
  readonly perSecond: number
  readonly loadCpu: number
  readonly serverCpu: number
  readonly p50: number
  readonly p99: number
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string', default: '' },
    /** Parts of names of cases, with `;` between. */
    cases: { type: 'string', default: '' },
    /** Idle pairs for the memory table; 0 leaves it out. */
    idle: { type: 'string' },
    handshakes: { type: 'string' },
    report: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const seconds = Number(values.seconds ?? (values.quick ? 1 : 2))
const idlePairs = Number(values.idle ?? (values.quick ? 0 : 9500))
const handshakes = Number(values.handshakes ?? (values.quick ? 0 : 20_000))
const cases = [
  ...CASES,
  { bytes: 1024, connections: 50, depth: 1 },
  { bytes: 16384, connections: 50, depth: 16 },
].filter(one => values.cases.split(';').some(part => nameOf(one).includes(part)))

const proxy = (name: string, file: string): peers.Peer => ({
  name,
  file: `../gateway/${file}.ts`,
  runtime: 'node',
  protocol: 'ws',
  admission: 'none',
})
const SALLYPORT = proxy('sallyport gateway, every message checked', 'sallyport')
const HAPROXY = proxy('HAProxy, http mode, blind', 'haproxy')
const NGINX = proxy('nginx, blind', 'nginx')
const WS_TO_WS = proxy('ws to ws, unchecked', 'ws-to-ws')
const HTTP_PROXY_3 = proxy('http-proxy-3, blind', 'http-proxy-3')
const HTTPXY = proxy('httpxy, blind', 'httpxy')
const has = (command: string, flag: string): boolean => spawnSync(command, [flag]).status === 0
const chosen = [
  ...(has('haproxy', '-v') ? [HAPROXY] : []),
  SALLYPORT,
  ...(has('nginx', '-v') ? [NGINX] : []),
  HTTP_PROXY_3,
  HTTPXY,
  WS_TO_WS,
].filter(peer => peer === HAPROXY || peer === SALLYPORT || peer.name.includes(values.only))

// The backend, on the core of the load: an echo on Bun, which costs less than any proxy here.
interface Backend {
  readonly port: number
  stop(): void
}
const startBackend = async (): Promise<Backend> => {
  const [command, args] = peers.pinned(1, 'bun', [fileURLToPath(new URL('servers/bun-serve.ts', import.meta.url))])
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const stop = (): void => void child.kill()
  process.on('exit', stop)
  const { port } = JSON.parse(String((await once(createInterface(child.stdout), 'line'))[0])) as {
    readonly port: number
  }
  return { port, stop }
}
let backend = await startBackend()
const start = (peer: peers.Peer): Promise<peers.Running> =>
  peers.startServer({ ...peer, args: [...(peer.args ?? []), `--backend=${backend.port}`] })

const running: peers.Running[] = []
for (const peer of chosen) running.push(await start(peer))
const key = (one: Case | string, file: string): string => `${typeof one === 'string' ? one : nameOf(one)} ${file}`
const results = new Map<string, Result[]>()
const micros = new Map<string, number[]>()
const put = <T>(map: Map<string, T[]>, at: string, value: T): void => void map.set(at, [...(map.get(at) ?? []), value])

// For the compilers, and not counted.
for (const server of running) {
  const load = {
    bytes: 120,
    connections: 50,
    depth: 16,
    port: server.port,
    pid: server.pid,
    protocol: 'ws',
    admission: 'none',
  }
  await peers.runLoad<Result>('load.ts', { ...load, warmup: 0.5, seconds: 1.5 })
}
for (const one of cases) {
  for (let round = 0; round < rounds; round++) {
    for (const server of turned(running, round)) {
      const load = {
        ...one,
        port: server.port,
        pid: server.pid,
        protocol: 'ws',
        admission: 'none',
        warmup: 0.5,
        seconds,
      }
      const result = await peers.runLoad<Result>('load.ts', load)
      put(results, key(one, server.peer.file), result)
    }
  }
  process.stderr.write(`${nameOf(one)} done\n`)
}

const refused = new Map<string, { readonly perSecond: number; readonly microsPerHandshake: number }[]>()
if (handshakes > 0) {
  for (const kind of ['refuse', 'accept'] as const) {
    for (let round = -1; round < Math.min(rounds, 3); round++) {
      for (const server of turned(running, round + 1)) {
        const load = {
          port: server.port,
          pid: server.pid,
          kind,
          count: handshakes / (kind === 'accept' ? 4 : 1),
          admission: 'none',
        }
        const result = await peers.runLoad<{ readonly perSecond: number; readonly microsPerHandshake: number }>(
          'load-handshakes.ts',
          load,
        )
        if (round >= 0) put(refused, key(kind, server.peer.file), result)
      }
    }
  }
}
for (const server of running) await server.stop()

if (idlePairs > 0) {
  for (const peer of chosen) {
    // Another port for each: those of the pairs before it are not free again within a minute.
    backend.stop()
    backend = await startBackend()
    // Large buffers are for its speed: idle pairs of nginx are lighter without.
    const server = await start(peer === NGINX ? { ...peer, args: ['--own-buffers'] } : peer)
    const crowd = { port: server.port, admission: 'none', protocol: 'ws' }
    await (await peers.holdLoad('load-idle.ts', { ...crowd, connections: 500 })).release()
    const before = await server.memory()
    const held = await peers.holdLoad('load-idle.ts', { ...crowd, connections: idlePairs })
    put(micros, peer.file, ((await server.memory()) - before) / idlePairs)
    await held.release()
    await server.stop()
    process.stderr.write(`${peer.name}: ${micros.get(peer.file)?.at(-1)?.toFixed(0)} bytes a pair\n`)
  }
}
backend.stop()

const of = (one: Case, peer: peers.Peer): readonly Result[] => results.get(key(one, peer.file)) ?? []
const rates = (one: Case, peer: peers.Peer): number[] => of(one, peer).map(({ perSecond }) => perSecond)
/** Of the proxy's own CPU time: what stays comparable where the load is the bottleneck. */
const costs = (one: Case, peer: peers.Peer): number[] =>
  of(one, peer).map(({ perSecond, serverCpu }) => perSecond / serverCpu)
const rowsOf = (cell: (one: Case, peer: peers.Peer) => string): ReportRow[] =>
  chosen.map(peer => ({ name: peer.name, cells: cases.map(one => cell(one, peer)) }))
const columns = cases.map(nameOf)
const base = chosen.includes(HAPROXY) ? HAPROXY : SALLYPORT
const kinds = handshakes > 0 ? (['refuse', 'accept'] as const) : []
const report = {
  name: 'gateway',
  title: 'Proxies: messages there and back, as a ratio to HAProxy’s blind tunnel',
  notes: [
    `Median (least–most) of ${rounds} interleaved rounds of ${seconds} s. The proxy has one core; load and backend (Bun) share the other. "120 B, 50/16": messages of 120 bytes, 50 connections, 16 in flight on each. The gateway unmasks, bounds, parses, checks against a JSON Schema, writes again and masks every message of the client; every other proxy passes bytes on unseen, except ws to ws, which sees messages and checks none.`,
    'Where load and backend use all of their core, they and not the proxy bound the rate: then the ratio by the proxy’s CPU time is the one to read.',
  ],
  tables: [
    {
      title: `Ratio to ${base.name}, by rate`,
      columns,
      rows: rowsOf((one, peer) => shown(ratioOf(rates(one, peer), rates(one, base)), 2)),
    },
    {
      title: `Ratio to ${base.name}, by the proxy’s CPU time a message`,
      columns,
      rows: rowsOf((one, peer) => shown(ratioOf(costs(one, peer), costs(one, base)), 2)),
    },
    {
      title: 'Messages a second',
      columns,
      rows: rowsOf((one, peer) => Math.round(spreadOf(rates(one, peer)).median).toLocaleString('en')),
    },
    {
      title: 'Round trip at the median and at 99 %, in µs; CPU of the proxy',
      columns,
      rows: rowsOf((one, peer) => {
        const middle = (figure: 'p50' | 'p99' | 'serverCpu'): number =>
          spreadOf(of(one, peer).map(result => result[figure])).median
        return `${middle('p50').toFixed(0)} / ${middle('p99').toFixed(0)}; ${(middle('serverCpu') * 100).toFixed(0)} %`
      }),
    },
    ...(idlePairs > 0
      ? [
          {
            title: `Bytes of an idle pair, at ${idlePairs}`,
            columns: ['bytes'],
            rows: chosen.map(peer => ({
              name: peer.name,
              cells: [spreadOf(micros.get(peer.file) ?? []).median.toFixed(0)],
            })),
          },
        ]
      : []),
    ...(kinds.length > 0
      ? [
          {
            title: 'Handshakes a second, and µs of the proxy’s CPU each',
            columns: ['refused', 'accepted'],
            rows: chosen.map(peer => ({
              name: peer.name,
              cells: kinds.map(kind => {
                const all = refused.get(key(kind, peer.file)) ?? []
                return `${Math.round(spreadOf(all.map(({ perSecond }) => perSecond)).median).toLocaleString('en')}; ${spreadOf(all.map(({ microsPerHandshake }) => microsPerHandshake)).median.toFixed(1)} µs`
              }),
            })),
          },
        ]
      : []),
  ],
  chart: {
    title: 'Messages there and back (ratio to HAProxy; more is faster)',
    unit: ' ×',
    groups: cases.map(one => ({
      title: wordsOf(one),
      bars: chosen.map(peer => ({
        name: peer.name,
        value: ratioOf(rates(one, peer), rates(one, base)).median,
        ours: peer === SALLYPORT,
      })),
    })),
  },
  data: {
    rounds,
    seconds,
    results: Object.fromEntries(results),
    idle: Object.fromEntries(micros),
    handshakes: Object.fromEntries(refused),
  },
}
if (values.report) writeReport(report)
else
  for (const { title, columns: names, rows } of report.tables) {
    process.stdout.write(
      `${title}\n  ${names.join(' | ')}\n${rows.map(({ name, cells }) => `  ${name}: ${cells.join(' | ')}\n`).join('')}`,
    )
  }
process.exit(0)
