// `node --conditions=sallyport-source packages/gateway/test/runtime/losses.ts`: a worker killed, a backend killed, a backend
// stopped: what is lost, and for how long. Figures for docs/gateway/operation.md.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { start, type Started } from '../../demo/started.ts'
import { startGateway } from './gateway-process.ts'
import { configOf, open } from './load.ts'

const CLIENTS = 200
const PATIENCE_MS = 60_000

/** Clients that come again 50 ms after each end or refusal. */
class Crowd {
  readonly codes: { [code: string]: number } = {}
  open = 0
  lost = 0
  #over = false
  readonly #sockets = new Set<WebSocket>()

  constructor(port: number) {
    for (let index = 0; index < CLIENTS; index++) void this.#live(port, `user-${index}`)
  }

  async #live(port: number, user: string): Promise<void> {
    while (!this.#over) {
      const socket = await open(port, '/chat', user).catch((error: Error) => error.message)
      if (typeof socket === 'string') {
        this.#count(/\d{3}/.exec(socket)?.[0] ?? 'refused')
      } else {
        this.open++
        this.#sockets.add(socket)
        const code = await new Promise<number>(resolve => {
          socket.on('error', () => socket.terminate())
          socket.on('close', resolve)
        })
        this.#sockets.delete(socket)
        this.open--
        this.lost++
        this.#count(String(code))
      }
      await pause(50)
    }
  }

  #count(what: string): void {
    this.codes[what] = (this.codes[what] ?? 0) + 1
  }

  /** Ms until the condition holds. */
  async until(holds: () => boolean): Promise<number> {
    const began = performance.now()
    while (!holds()) {
      if (performance.now() - began > PATIENCE_MS)
        throw new Error(`never: ${JSON.stringify(this.codes)}, ${this.open} open`)
      await pause(10)
    }
    return Math.round(performance.now() - began)
  }

  forget(): void {
    this.lost = 0
    for (const code of Object.keys(this.codes)) delete this.codes[code]
  }

  end(): void {
    this.#over = true
    for (const socket of this.#sockets) socket.terminate()
  }
}

const startEcho = (port: number): Promise<Started> =>
  start(process.execPath, [join(import.meta.dirname, 'echo.ts'), String(port)], {}, line => line.startsWith('{'))

let backend = await startEcho(0)
const { port } = JSON.parse(backend.lines[0]!) as { port: number }
const text = configOf(port, 0)
  .replace(
    `targets: ['ws://127.0.0.1:${port}']`,
    `targets: ['ws://127.0.0.1:${port}'], connectTimeout: 1 s, eject: 500 ms`,
  )
  .replace('    upstream: echo', '    upstream: echo\n    relay: { heartbeat: 3 s }')
const gateway = await startGateway(`${text}workers: 2\n`)
const crowd = new Crowd(gateway.port)
const told: { [what: string]: object } = {}
try {
  await crowd.until(() => crowd.open === CLIENTS)

  crowd.forget()
  const [victim] = readFileSync(`/proc/${gateway.process.pid}/task/${gateway.process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number)
  process.kill(victim!, 'SIGKILL')
  await crowd.until(() => crowd.lost > 0)
  const backMs = await crowd.until(() => crowd.open === CLIENTS)
  const began = performance.now()
  while ((await gateway.admin('GET', '/-/ready')).status !== 200) await pause(20)
  told['a worker of two killed'] = {
    lost: crowd.lost,
    of: CLIENTS,
    codes: { ...crowd.codes },
    allBackMs: backMs,
    secondWorkerMs: backMs + Math.round(performance.now() - began),
  }

  crowd.forget()
  backend.process.kill('SIGKILL')
  const goneMs = await crowd.until(() => crowd.open === 0)
  await pause(1000)
  backend = await startEcho(port)
  const againMs = await crowd.until(() => crowd.open === CLIENTS)
  told['the backend killed, started again after a second'] = {
    lost: crowd.lost,
    of: CLIENTS,
    codes: { ...crowd.codes },
    toldWithinMs: goneMs,
    allBackMs: againMs,
  }

  crowd.forget()
  backend.process.kill('SIGSTOP')
  const noticedMs = await crowd.until(() => crowd.open === 0)
  backend.process.kill('SIGCONT')
  const resumedMs = await crowd.until(() => crowd.open === CLIENTS)
  told['the backend stopped (SIGSTOP), relay.heartbeat 3 s'] = {
    lost: crowd.lost,
    of: CLIENTS,
    codes: { ...crowd.codes },
    toldWithinMs: noticedMs,
    allBackMs: resumedMs,
  }
} finally {
  crowd.end()
  await gateway.end()
  await backend.end()
}
process.stdout.write(`${JSON.stringify(told, null, 2)}\n`)
process.exit(0)
