// `npm run bench:handshakes`: handshakes refused for their Origin, and accepted, beside `ws` with verifyClient and Bun.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { shown, writeReport } from './report.ts'
import * as peers from './servers.ts'
import { ratioOf, spreadOf, turned } from './statistics.ts'

interface Result {
  readonly perSecond: number
  readonly loadCpu: number
  readonly serverCpu: number
  readonly microsPerHandshake: number
}
type Kind = 'refuse' | 'accept'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } } })
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const counts: Record<Kind, number> = values.quick
  ? { refuse: 10_000, accept: 5_000 }
  : { refuse: 40_000, accept: 20_000 }
const BUN_ORIGIN: peers.Peer = { ...peers.BUN, name: 'Bun.serve + Origin check', args: ['--origin'] }
// nginx takes part where Debian's package is installed.
const hasNginx = spawnSync('nginx', ['-v']).status === 0
const chosen = [peers.SEED, peers.SALLYPORT, BUN_ORIGIN, ...(hasNginx ? [peers.NGINX] : [])]

const running: peers.Running[] = []
for (const peer of chosen) running.push(await peers.startServer(peer))
const results = new Map<string, Result[]>()
const at = (kind: Kind, peer: peers.Peer): Result[] => {
  const key = `${kind} ${peer.name}`
  const known = results.get(key) ?? []
  results.set(key, known)
  return known
}
for (const kind of ['refuse', 'accept'] as const) {
  // A first round for the compilers, which is not counted.
  for (let round = -1; round < rounds; round++) {
    for (const server of turned(running, round + 1)) {
      const load = { port: server.port, pid: server.pid, kind, count: counts[kind], admission: server.peer.admission }
      const result = await peers.runLoad<Result>('load-handshakes.ts', load)
      if (round >= 0) at(kind, server.peer).push(result)
    }
  }
}
for (const server of running) await server.stop()

const figures = (kind: Kind, peer: peers.Peer, figure: keyof Result): number[] =>
  at(kind, peer).map(result => result[figure])
const inverse = (list: readonly number[]): number[] => list.map(figure => 1 / figure)
const kinds = ['refuse', 'accept'] as const

writeReport({
  name: 'handshakes',
  title: 'Opening handshakes',
  notes: [
    `Median (least–most) of ${rounds} interleaved rounds, 32 handshakes at a time, ${counts.refuse} refused for a bad Origin, ${counts.accept} accepted. \`ws\` checks Origin and the form of a token; sallyport checks every control of its handshake door, finds the session, and redeems a single-use ticket bound to session, Origin and path; Bun and nginx check the Origin alone.`,
    'Where the load uses all of its core, it and not the server bounds the rate: the ratio of CPU time is the one to read.',
  ],
  tables: [
    {
      title: 'Ratio to ws with verifyClient: by the server’s CPU time a handshake, and by rate',
      columns: ['refused, CPU', 'refused, rate', 'accepted, CPU', 'accepted, rate'],
      rows: chosen.map(peer => ({
        name: peer.name,
        cells: kinds.flatMap(kind => [
          shown(
            ratioOf(
              inverse(figures(kind, peer, 'microsPerHandshake')),
              inverse(figures(kind, peers.SEED, 'microsPerHandshake')),
            ),
            2,
          ),
          shown(ratioOf(figures(kind, peer, 'perSecond'), figures(kind, peers.SEED, 'perSecond')), 2),
        ]),
      })),
    },
    {
      title: 'A second; µs of the server’s CPU each; CPU of server / load',
      columns: ['refused', 'accepted'],
      rows: chosen.map(peer => ({
        name: peer.name,
        cells: kinds.map(kind => {
          const middle = (figure: keyof Result): number => spreadOf(figures(kind, peer, figure)).median
          const share = (figure: 'serverCpu' | 'loadCpu'): string => `${(middle(figure) * 100).toFixed(0)} %`
          return `${Math.round(middle('perSecond')).toLocaleString('en')}; ${middle('microsPerHandshake').toFixed(1)} µs; ${share('serverCpu')} / ${share('loadCpu')}`
        }),
      })),
    },
  ],
  chart: {
    title: 'CPU time of a handshake (µs; less is better)',
    unit: ' µs',
    groups: kinds.map(kind => ({
      title: kind === 'refuse' ? 'bad Origin refused' : 'accepted',
      bars: chosen.map(peer => ({
        name: peer.name,
        value: spreadOf(figures(kind, peer, 'microsPerHandshake')).median,
        ours: peer === peers.SALLYPORT,
      })),
    })),
  },
  data: { rounds, counts, results: Object.fromEntries(results) },
})
