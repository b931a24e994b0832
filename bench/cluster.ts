// `npm run bench:cluster`: one node with the memory store and one with Redis, beside each other: handshakes and messages a
// second, Redis commands for each, and what a connection costs Redis. `--quick` is a smaller run.
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createClient } from 'redis'
import { redis } from 'sallyport/store/redis'
import type { WebSocket } from 'ws'
import { type RedisServer, startRedis } from '../packages/sallyport/test/store/redis-server.ts'
import { type FleetNode, open, rawHandshake, startNode, ticketFor } from '../test/cluster/fleet.ts'
import { SECRET } from '../test/cluster/orders.ts'
import { spreadOf } from './statistics.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const ROUNDS = values.quick ? 1 : 3
const HANDSHAKES = values.quick ? 300 : 600
const MESSAGES = values.quick ? 10_000 : 40_000
const AT_ONCE = 16
/** A bench is not the place for deadlines: the machine is busy on purpose. */
const PATIENT = { deadlineMs: 30_000 }

/** Calls that clients made, and commands that ran, scripts' own included. */
async function commands(server: RedisServer): Promise<{ calls: number; run: number }> {
  let calls = 0
  let run = 0
  for (const line of (await server.admin.info('commandstats')).split('\r\n')) {
    const [, name = '', count = '0'] = /^cmdstat_(\S+):calls=(\d+)/.exec(line) ?? []
    if (name === '' || name === 'info') continue
    if (name.startsWith('eval')) calls += Number(count)
    else run += Number(count)
  }
  return { calls, run }
}

interface Ticketed {
  readonly user: string
  readonly ticket: string
}

async function ticketsFor(node: FleetNode, round: number): Promise<readonly Ticketed[]> {
  const people = Array.from({ length: HANDSHAKES }, (_, nth) => `r${round}-${nth}`)
  const tickets: string[] = []
  for (let from = 0; from < people.length; from += AT_ONCE) {
    const part = people.slice(from, from + AT_ONCE)
    tickets.push(...(await Promise.all(part.map(async user => (await ticketFor(node, user, user)) ?? ''))))
  }
  return people.map((user, nth) => ({ user, ticket: tickets[nth]! }))
}

async function handshakes(node: FleetNode, people: readonly Ticketed[]): Promise<number> {
  let next = 0
  const from = performance.now()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let nth = next++; nth < people.length; nth = next++) {
        const { user, ticket } = people[nth]!
        const status = await rawHandshake(node, user, user, ticket, 20_000)
        if (status !== 101) throw new Error(`a handshake was answered with ${status}`)
      }
    }),
  )
  return (HANDSHAKES * 1000) / (performance.now() - from)
}

/** Echoes: `sockets` connections with 8 messages under way each. */
async function messages(sockets: readonly WebSocket[], count: number): Promise<number> {
  const text = JSON.stringify({ type: 'chat', message: 'x'.repeat(80) })
  const each = Math.floor(count / sockets.length)
  const from = performance.now()
  await Promise.all(
    sockets.map(
      socket =>
        new Promise<void>(resolve => {
          let sent = 0
          let heard = 0
          const listener = (): void => {
            if (sent < each) {
              sent++
              socket.send(text)
            }
            if (++heard < each) return
            socket.off('message', listener)
            resolve()
          }
          socket.on('message', listener)
          for (; sent < Math.min(8, each); sent++) socket.send(text)
        }),
    ),
  )
  return (each * sockets.length * 1000) / (performance.now() - from)
}

async function connect(node: FleetNode, count: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  for (let nth = 0; nth < count; nth++) {
    const { socket, code } = await open(node, `m${nth}`, `m${nth}`)
    if (socket === null) throw new Error(`no connection: ${code}`)
    sockets.push(socket)
  }
  return sockets
}

/** Bytes that Redis holds for each of many connections, every one of another user and address. */
async function bytesPerConnection(): Promise<{ connection: number; ticket: number; revocation: number }> {
  const server = await startRedis()
  const client = createClient({ socket: { port: server.port } })
  const store = redis(client, { secret: SECRET, ...PATIENT })
  await client.connect()
  await store.ready()
  const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await server.admin.info('memory'))?.[1])
  const count = values.quick ? 5_000 : 20_000
  const many = async (work: (nth: number) => Promise<unknown>): Promise<number> => {
    const before = await used()
    for (let from = 0; from < count; from += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, nth) => work(from + nth)))
    }
    return ((await used()) - before) / count
  }
  const connection = await many(async nth => {
    for (const key of ['connections:all', `connections:ip:${nth}`, `connections:user:${nth}`]) {
      if (!(await store.lease(key, `c${nth}`, 1e9, 600_000))) throw new Error('a place was refused')
    }
  })
  const ticket = await many(async nth => store.once(`ticket:${nth}`, 600_000))
  const revocation = await many(async nth => store.revoke({ session: `s${nth}` }, 86_400_000))
  await store.close()
  client.destroy()
  await server.close()
  return { connection, ticket, revocation }
}

const server = await startRedis()
const address = { host: '127.0.0.1', port: server.port }
const nodes: Record<string, FleetNode> = {
  memory: await startNode({ index: 0, redis: null, client: 'node-redis', ticketTtlMs: 600_000 }),
  'Redis by node-redis': await startNode({
    index: 1,
    redis: address,
    client: 'node-redis',
    store: PATIENT,
    ticketTtlMs: 600_000,
  }),
  'Redis by ioredis': await startNode({
    index: 2,
    redis: address,
    client: 'ioredis',
    store: PATIENT,
    ticketTtlMs: 600_000,
  }),
}
// What a Redis that was just born has forgotten is over.
await wait(2500)
const shakes: Record<string, number[]> = {}
const shakeMicros: Record<string, number[]> = {}
const speedMicros: Record<string, number[]> = {}
const speeds: Record<string, number[]> = {}
const sockets: Record<string, WebSocket[]> = {}
for (const [name, node] of Object.entries(nodes)) sockets[name] = await connect(node, 32)
for (let round = -1; round < ROUNDS; round++) {
  for (const [name, node] of Object.entries(nodes)) {
    const tickets = await ticketsFor(node, round)
    const [first, second] = [await node.stats(), await handshakes(node, tickets)]
    const third = await node.stats()
    const spoken = await messages(sockets[name]!, round < 0 ? MESSAGES / 5 : MESSAGES)
    const fourth = await node.stats()
    // The first round is for the compilers.
    if (round < 0) continue
    ;(shakes[name] ??= []).push(second)
    ;(shakeMicros[name] ??= []).push((third.cpuMicros - first.cpuMicros) / HANDSHAKES)
    ;(speedMicros[name] ??= []).push((fourth.cpuMicros - third.cpuMicros) / MESSAGES)
    ;(speeds[name] ??= []).push(spoken)
  }
}

// Commands, with what heartbeats cost in the same time taken off.
const idle = await (async () => {
  // What the rounds left to be written is written.
  await wait(4000)
  const from = performance.now()
  const before = await commands(server)
  await wait(6000)
  const after = await commands(server)
  const ms = performance.now() - from
  return { calls: (after.calls - before.calls) / ms, run: (after.run - before.run) / ms }
})()
async function counted(work: () => Promise<unknown>): Promise<{ calls: number; run: number }> {
  const from = performance.now()
  const before = await commands(server)
  await work()
  await wait(1500)
  const after = await commands(server)
  const ms = performance.now() - from
  // The heartbeats of so short a time are a few more or fewer than their mean.
  const less = (now: number, then: number, beside: number): number => Math.max(0, now - then - beside * ms)
  return { calls: less(after.calls, before.calls, idle.calls), run: less(after.run, before.run, idle.run) }
}
const node = nodes['Redis by node-redis']!
let issued: string[] = []
const issuing = await counted(async () => {
  issued = []
  for (let nth = 0; nth < 200; nth++) issued.push((await ticketFor(node, `t${nth}`, `t${nth}`)) ?? '')
})
const opening = await counted(async () => {
  for (let nth = 0; nth < 200; nth++) await rawHandshake(node, `t${nth}`, `t${nth}`, issued[nth]!, 5000)
})
const flood = await counted(() => messages(sockets['Redis by node-redis']!, MESSAGES))
// As people write: 32 of them, a message every half second.
const written = 32 * 20
const usual = await startNode({ index: 3, redis: address, client: 'node-redis', store: PATIENT, perUser: 300 })
const people = await connect(usual, 32)
await wait(2000)
const slow = await counted(async () => {
  const text = JSON.stringify({ type: 'chat', message: 'hello' })
  for (let nth = 0; nth < 20; nth++) {
    for (const socket of people) socket.send(text)
    await wait(500)
  }
})
for (const running of [...Object.values(nodes), usual]) await running.kill()
await server.close()

const shown = (figures: readonly number[] | undefined): string => {
  const { median, least, most } = spreadOf(figures ?? [])
  return `${Math.round(median)} (${Math.round(least)}–${Math.round(most)})`
}
const lines = [
  `Median (least–most) of ${ROUNDS} interleaved rounds; node, load and Redis on the same machine.`,
  '',
  `| store | handshakes a second, ${AT_ONCE} at a time | µs of the node's CPU each | messages a second, 32 connections | µs of the node's CPU each |`,
  '| --- | --- | --- | --- | --- |',
  ...Object.keys(nodes).map(
    name =>
      `| ${name} | ${shown(shakes[name])} | ${shown(shakeMicros[name])} | ${shown(speeds[name])} | ${shown(speedMicros[name])} |`,
  ),
  '',
  '| for | calls by the client | commands in Redis, those of scripts included |',
  '| --- | --- | --- |',
  ...(
    [
      ['a ticket that is issued', issuing, 200],
      ['a handshake with its close', opening, 200],
      ['1 000 messages, a flood', flood, MESSAGES / 1000],
      ['1 000 messages, 32 people with one every half second, of 300 a minute each', slow, written / 1000],
    ] as const
  ).map(([what, { calls, run }, of]) => `| ${what} | ${(calls / of).toFixed(1)} | ${(run / of).toFixed(1)} |`),
  `| a second of a node that idles | ${((idle.calls * 1000) / 2).toFixed(1)} | ${((idle.run * 1000) / 2).toFixed(1)} |`,
  '',
]
process.stdout.write(`${lines.join('\n')}\n`)
const bytes = await bytesPerConnection()
process.stdout.write(
  `Bytes in Redis: ${bytes.connection.toFixed(0)} a connection (its own user, its own address), ` +
    `${bytes.ticket.toFixed(0)} a used ticket, ${bytes.revocation.toFixed(0)} a revocation.\n`,
)
process.exit(0)
