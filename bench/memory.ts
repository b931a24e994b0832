// `npm run bench:memory`: bytes of an idle connection, and memory over a long churn of them.
import { parseArgs } from 'node:util'
import { writeReport } from './report.ts'
import * as peers from './servers.ts'
import { spreadOf } from './statistics.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } } })
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const connections = values.quick ? 2_000 : 9_500
const churn = values.quick ? 8_000 : 200_000
const STEPS = 8
/** The server's tickets live for a minute, and used ones are remembered as long: some seconds more. */
const TICKETS_OVER_MS = 70_000
const chosen = [peers.WS, peers.SALLYPORT, peers.SOCKET_IO, peers.BUN]

const idle = new Map<peers.Peer, number[]>(chosen.map(peer => [peer, []]))
for (let round = 0; round < rounds; round++) {
  for (const peer of chosen) {
    const server = await peers.startServer(peer)
    const { admission, protocol } = peer
    // A first crowd that goes again: what the server grows to once is not what a connection costs.
    const crowd = { port: server.port, admission, protocol }
    await (await peers.holdLoad('load-idle.ts', { ...crowd, connections: 500 })).release()
    const before = await server.memory()
    const held = await peers.holdLoad('load-idle.ts', { ...crowd, connections })
    idle.get(peer)?.push(((await server.memory()) - before) / connections)
    await held.release()
    await server.stop()
    process.stderr.write(`${peer.name}: ${idle.get(peer)?.at(-1)?.toFixed(0)} bytes\n`)
  }
}

const server = await peers.startServer(peers.SALLYPORT)
const memory: { readonly after: number; readonly megabytes: number; readonly rested?: true }[] = []
for (let step = 0; step <= STEPS; step++) {
  if (step > 0) {
    const load = { port: server.port, pid: server.pid, kind: 'accept', count: churn / STEPS, admission: 'ticket' }
    await peers.runLoad('load-handshakes.ts', load)
  }
  memory.push({ after: (step * churn) / STEPS, megabytes: (await server.memory()) / 1e6 })
  process.stderr.write(`${memory.at(-1)?.after} connections: ${memory.at(-1)?.megabytes.toFixed(1)} MB\n`)
}
await new Promise(resolve => setTimeout(resolve, TICKETS_OVER_MS))
memory.push({ after: churn, megabytes: (await server.memory()) / 1e6, rested: true })
process.stderr.write(`its tickets over: ${memory.at(-1)?.megabytes.toFixed(1)} MB\n`)
await server.stop()

const bytesOf = (peer: peers.Peer): number => spreadOf(idle.get(peer) ?? []).median
writeReport({
  name: 'memory',
  title: 'Memory of idle connections',
  notes: [
    `Resident memory of the server after a collection of garbage, with ${connections} idle connections less without, by connection; median (least–most) of ${rounds} rounds, a fresh server each.`,
    'On Node the collection is the one for when memory runs out, which gives the pages that are free back to the system: without it what stands there is how much garbage was made at a time, up to the size of V8’s pool.',
    'Of the churn, what is gone once its tickets are over was the memory of used tickets: each is remembered until it would have expired, a minute here, or it could be used twice.',
  ],
  tables: [
    {
      title: 'Bytes of an idle connection',
      columns: ['bytes', 'ratio to bare ws'],
      rows: chosen.map(peer => {
        const { median, least, most } = spreadOf(idle.get(peer) ?? [])
        return {
          name: peer.name,
          cells: [
            `${median.toFixed(0)} (${least.toFixed(0)}–${most.toFixed(0)})`,
            (median / bytesOf(peers.WS)).toFixed(2),
          ],
        }
      }),
    },
    {
      title: 'Resident memory of a guarded server over a churn of connections, each with a ticket of its own',
      columns: ['MB'],
      rows: memory.map(({ after, megabytes, rested }) => ({
        name: `after ${after.toLocaleString('en')} connections${rested === true ? ', their tickets over' : ''}`,
        cells: [megabytes.toFixed(1)],
      })),
    },
  ],
  chart: {
    title: 'Memory of an idle connection (bytes; less is better)',
    unit: ' B',
    groups: [
      {
        title: `${connections} idle connections`,
        bars: chosen.map(peer => ({ name: peer.name, value: bytesOf(peer), ours: peer === peers.SALLYPORT })),
      },
    ],
  },
  data: { rounds, connections, idle: chosen.map(peer => ({ name: peer.name, bytes: idle.get(peer) })), churn: memory },
})
