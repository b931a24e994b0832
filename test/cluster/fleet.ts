import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import type { NodeOrder, NodeSetup, NodeStats } from './orders.ts'

/** A node that runs. */
export interface FleetNode {
  readonly index: number
  readonly host: string
  readonly port: number
  readonly child: ChildProcess
  order(order: NodeOrder): Promise<unknown>
  stats(): Promise<NodeStats>
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** What became of a handshake: a socket, or a status (0: no answer). */
export interface Opened {
  readonly socket: WebSocket | null
  readonly status: number
  readonly code: string
  readonly ms: number
}

const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

const PROGRAM = fileURLToPath(new URL('./node.ts', import.meta.url))

/** Starts a node; `prefix` goes before the command: `ip netns exec …`. Rejects when it ends before it listens. */
export async function startNode(
  setup: NodeSetup,
  prefix: readonly string[] = [],
  host = '127.0.0.1',
): Promise<FleetNode> {
  const program = [process.execPath, '--conditions=sallyport-source', PROGRAM, JSON.stringify(setup)]
  const [command = process.execPath, ...args]: string[] = [...prefix, ...program]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>()
  let serial = 0
  const listening = Promise.withResolvers<number>()
  child.on('message', (message: { listening?: number; id?: number; value?: unknown; error?: string }) => {
    if (message.listening !== undefined) listening.resolve(message.listening)
    if (message.id === undefined) return
    const asker = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) asker?.resolve(message.value)
    else asker?.reject(new Error(message.error))
  })
  child.once('error', listening.reject)
  child.once('exit', code => {
    listening.reject(new Error(`node ${setup.index} ended with ${code}`))
    for (const { reject } of waiting.values()) reject(new Error('the node ended'))
  })
  const port = await listening.promise
  const order = (what: NodeOrder): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++serial
      waiting.set(id, { resolve, reject })
      child.send({ ...what, id }, error => error && reject(error))
    })
  return {
    index: setup.index,
    host,
    port,
    child,
    order,
    stats: async () => (await order({ order: 'stats' })) as NodeStats,
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
    },
  }
}

/** Fetches a ticket; null where it was refused. */
export function ticketFor({ host, port }: FleetNode, user: string, session: string): Promise<string | null> {
  return new Promise(resolve => {
    const asked = request(
      {
        host,
        port,
        method: 'POST',
        path: '/ticket?path=/ws',
        // A kept connection may lead to a node that was killed a moment ago.
        agent: false,
        headers: { host: 'app.test', origin: 'https://app.test', cookie: `sid=${user}~${session}` },
        timeout: 10_000,
      },
      response => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () => {
          resolve(response.statusCode === 200 ? (JSON.parse(body) as { ticket: string }).ticket : null)
        })
      },
    )
    asked.on('error', () => resolve(null))
    asked.on('timeout', () => asked.destroy())
    asked.end()
  })
}

/** Opens with a ticket that is given. */
export function openWith(node: FleetNode, user: string, session: string, ticket: string): Promise<Opened> {
  const from = performance.now()
  return new Promise(resolve => {
    const socket = new WebSocket(`ws://${node.host}:${node.port}/ws`, ['sallyport.v1', `sallyport.ticket.${ticket}`], {
      origin: 'https://app.test',
      headers: { host: 'app.test', cookie: `sid=${user}~${session}` },
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
    })
    const done = (opened: WebSocket | null, status: number, code: string): void =>
      resolve({ socket: opened, status, code, ms: performance.now() - from })
    socket.on('error', () => done(null, 0, 'no answer'))
    socket.once('open', () => done(socket, 101, ''))
    socket.once('unexpected-response', (_request, response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        done(null, response.statusCode ?? 0, /"code":"(\w+)"/.exec(body)?.[1] ?? '')
        socket.terminate()
      })
      response.on('error', () => done(null, 0, 'reset'))
    })
  })
}

/** An honest client: a ticket, then the handshake. */
export async function open(node: FleetNode, user: string, session: string): Promise<Opened> {
  const ticket = await ticketFor(node, user, session)
  if (ticket === null) return { socket: null, status: 503, code: 'no ticket', ms: 0 }
  return openWith(node, user, session, ticket)
}

/** Opens again and again until `wanted` holds; the last answer after `patienceMs`. */
export async function openUntil(
  wanted: (opened: Opened) => boolean,
  patienceMs: number,
  attempt: () => Promise<Opened>,
): Promise<Opened> {
  const until = performance.now() + patienceMs
  for (;;) {
    const opened = await attempt()
    if (wanted(opened) || performance.now() > until) return opened
    opened.socket?.terminate()
    await wait(50)
  }
}

/** A handshake by raw bytes: cheaper than a client. Answers its status, 0 for none within `patienceMs`. */
export function rawHandshake(
  node: FleetNode,
  user: string,
  session: string,
  ticket: string,
  patienceMs: number,
): Promise<number> {
  return new Promise(resolve => {
    const socket = createConnection(node.port, node.host)
    const done = (status: number): void => {
      clearTimeout(late)
      socket.destroy()
      resolve(status)
    }
    const late = setTimeout(() => done(0), patienceMs)
    socket.on('error', () => done(0))
    socket.on('close', () => done(0))
    socket.on('data', chunk => done(Number(chunk.toString('latin1', 9, 12))))
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: app.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: https://app.test\r\nCookie: sid=${user}~${session}\r\n` +
        `Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${ticket}\r\n\r\n`,
    )
  })
}

/** Resolves with the instant of its close. */
export function closed(socket: WebSocket): Promise<number> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve(performance.now())
  return once(socket, 'close').then(() => performance.now())
}

/** The `part` of sorted figures: 0.99 for p99. */
export function quantile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
