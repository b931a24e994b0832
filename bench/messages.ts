// `npm run bench:messages`: guarded echoes a second beside bare `ws` and others. `-- --quick` for a rough idea.
import { parseArgs } from 'node:util'
import { type Case, CASES, nameOf, wordsOf } from './cases.ts'
import { type ReportRow, shown, writeReport } from './report.ts'
import * as peers from './servers.ts'
import { ratioOf, spreadOf, turned } from './statistics.ts'

interface Result {
  readonly perSecond: number
  readonly loadCpu: number
  readonly serverCpu: number
  readonly microsPerMessage: number
  readonly p50: number
  readonly p99: number
}
interface Series {
  readonly peer: peers.Peer
  readonly results: Result[]
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    /** Part of a peer's name; `ws, bare` always runs. */
    only: { type: 'string', default: '' },
    tls: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const seconds = Number(values.seconds ?? (values.quick ? 1 : 2))
const base = values.tls ? peers.WS_TLS : peers.WS
const all = values.tls
  ? [peers.WS_TLS, peers.SALLYPORT_TLS]
  : [peers.WS, peers.SALLYPORT, peers.SEED, peers.AJV, peers.SOCKET_IO, peers.BUN, peers.BUN_SCHEMA]
const chosen = all.filter(peer => peer === base || peer.name.includes(values.only))

const running: peers.Running[] = []
for (const peer of chosen) running.push(await peers.startServer(peer))
const table = new Map<Case, Series[]>()
for (const one of CASES) {
  const series = running.map((server): Series => ({ peer: server.peer, results: [] }))
  table.set(one, series)
  for (let round = 0; round < rounds; round++) {
    for (const server of turned(running, round)) {
      const { protocol, admission, tls } = server.peer
      const load = { ...one, port: server.port, pid: server.pid, protocol, admission, tls, warmup: 0.5, seconds }
      const result = await peers.runLoad<Result>('load.ts', load)
      series.find(({ peer }) => peer === server.peer)?.results.push(result)
    }
  }
  process.stderr.write(`${nameOf(one)} done\n`)
}
for (const server of running) await server.stop()

const of = (one: Case, peer: peers.Peer): readonly Result[] =>
  table.get(one)?.find(series => series.peer === peer)?.results ?? []
const rowsOf = (cell: (one: Case, peer: peers.Peer) => string): ReportRow[] =>
  chosen.map(peer => ({ name: peer.name, cells: CASES.map(one => cell(one, peer)) }))
const rates = (one: Case, peer: peers.Peer): number[] => of(one, peer).map(result => result.perSecond)
const costs = (one: Case, peer: peers.Peer): number[] => of(one, peer).map(result => result.microsPerMessage)
const columns = CASES.map(nameOf)

writeReport({
  name: values.tls ? 'messages-tls' : 'messages',
  title: `Echoes a second, as a ratio to bare \`ws\`${values.tls ? ' on TLS' : ''}`,
  notes: [
    `Median (least–most) of ${rounds} interleaved rounds of ${seconds} s. "120 B, 50/16": messages of 120 bytes, 50 connections, 16 messages in flight on each. Every guarded server parses, checks and answers with a new message; a bare one sends the bytes back.`,
    'The load is not the bottleneck where its CPU, in the last table, is below that of the server; where it is not, or where others used the machine, read the ratio of CPU times.',
  ],
  tables: [
    {
      title: 'Ratio to bare ws',
      columns,
      rows: rowsOf((one, peer) => shown(ratioOf(rates(one, peer), rates(one, base)), 2)),
    },
    {
      title: 'Ratio to bare ws by CPU time of the server a message',
      columns,
      rows: rowsOf((one, peer) => shown(ratioOf(costs(one, base), costs(one, peer)), 2)),
    },
    {
      title: 'Messages a second',
      columns,
      rows: rowsOf((one, peer) => Math.round(spreadOf(rates(one, peer)).median).toLocaleString('en')),
    },
    {
      title: 'Round trip at the median and at 99 %, in µs',
      columns,
      rows: rowsOf((one, peer) =>
        (['p50', 'p99'] as const)
          .map(quantile => spreadOf(of(one, peer).map(result => result[quantile])).median.toFixed(0))
          .join(' / '),
      ),
    },
    {
      title: 'CPU of the server and of the load, of one core each',
      columns,
      rows: rowsOf((one, peer) =>
        (['serverCpu', 'loadCpu'] as const)
          .map(side => `${(spreadOf(of(one, peer).map(result => result[side])).median * 100).toFixed(0)} %`)
          .join(' / '),
      ),
    },
  ],
  chart: {
    title: 'Guarded echoes beside bare ws (ratio; more is faster)',
    unit: ' ×',
    groups: CASES.map(one => ({
      title: wordsOf(one),
      bars: chosen.map(peer => ({
        name: peer.name,
        value: ratioOf(rates(one, peer), rates(one, base)).median,
        ours: peer === peers.SALLYPORT || peer === peers.SALLYPORT_TLS,
      })),
    })),
  },
  data: { rounds, seconds, cases: CASES.map(one => ({ name: nameOf(one), peers: table.get(one) })) },
})
