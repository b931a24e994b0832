import cluster from 'node:cluster'
import type { Logger } from 'pino'
import { mostDescriptors, roomFor, systemRuntime } from 'sallyport/internal'
import { adminApi } from '../admin/admin-api.ts'
import { type AdminServer, serveAdmin } from '../admin/admin-server.ts'
import { fleetApi, reloadFleet } from '../fleet/fleet-api.ts'
import { createMetrics } from '../admin/metrics.ts'
import { ConfigError, formatProblems } from '../config/config-error.ts'
import { type ParsedConfig, parseConfigFully } from '../config/parse.ts'
import type { GatewayConfig } from '../model/config.ts'
import { createRefusals } from '../listener/refusals.ts'
import { startFleet } from '../fleet/fleet.ts'
import { readConfigText, startRunning } from '../runtime/running.ts'
import { work } from '../fleet/worker.ts'
import { createLog } from '../runtime/log.ts'
import type { ExitCode, Terminal } from './terminal.ts'
import { tryAll } from './trial.ts'
import { COMMON, DEFAULT_FILE, readArguments } from './usage.ts'

export const RUN_HELP = `sallyport-gateway run [--config gateway.yaml]

Serves until SIGTERM or SIGINT: then it lets its connections go (1012, spread over the time of \`drain\`) and ends. A second
signal ends it at once. SIGHUP reads the file again: unchanged routes keep every socket; a file with a problem is refused,
loudly, and the old configuration stands.

  -c, --config FILE   default ${DEFAULT_FILE}

Exit code: 0 ended as asked, 1 problems, 2 usage.
`

/** Beyond the time of the drain nothing is waited for. */
const PATIENCE_MS = 5000

/** What to do about an address that cannot be listened at. */
const REMEDIES = new Map([
  ['EADDRINUSE', 'end the process that listens there, or write another address'],
  ['EADDRNOTAVAIL', 'write an address that this machine has, such as 0.0.0.0'],
  [
    'EACCES',
    'for a port below 1024 give CAP_NET_BIND_SERVICE; for a unix socket make its folder, writable for this user',
  ],
])

/** `run`: serves until it is told to end. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values } = readArguments(args, COMMON)
  const file = values.config ?? DEFAULT_FILE
  if (cluster.isWorker) return work(file)
  let text: string
  let parsed: ParsedConfig
  try {
    text = readConfigText(file)
    parsed = parseConfigFully(text, { file })
    await tryAll(file, parsed.config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    terminal.err(
      values.json === true ? JSON.stringify({ ok: false, problems: error.problems }) : formatProblems(error.problems),
    )
    return 1
  }
  const log = createLog(parsed.config.log, parsed.config.name)
  let serving: Served | null = null
  let hangUp = false
  // From the first moment on: a SIGHUP that nobody listens for ends the process.
  process.on('SIGHUP', () => {
    hangUp = true
    serving?.reload()
  })
  try {
    const served: Served =
      parsed.config.workers > 1 ? await serveFleet(file, text, parsed, log) : await serveAlone(file, parsed, log)
    serving = served
    if (hangUp) served.reload()
    const end = ended(served, log)
    served.announce()
    await end
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const remedy = REMEDIES.get(code ?? '')
    log.error({ kind: 'startup', code, remedy }, `the gateway cannot start: ${message}`)
    return process.exit(1)
  }
  // What is left (idle connections to backends and to the app) serves no client.
  return process.exit(0)
}

/** What serves, in this process or in several. */
interface Served {
  readonly reload: () => void
  /** Tells that it serves, once its signals are heard. */
  readonly announce: () => void
  readonly drainMs: () => number
  close(withinMs: number): Promise<void>
}

async function serveAlone(file: string, parsed: ParsedConfig, log: Logger): Promise<Served> {
  const running = await startRunning({ file, parsed, log })
  const admin = await openAdmin(parsed, adminApi(running, createMetrics(running)), log)
  return {
    announce: () => tellServing(log, file, parsed, Object.fromEntries(running.gateway.ports), admin),
    reload: () => void running.reload(),
    drainMs: () => running.config.drainMs,
    async close(withinMs) {
      await running.close(withinMs)
      await admin?.close()
    },
  }
}

async function serveFleet(file: string, text: string, parsed: ParsedConfig, log: Logger): Promise<Served> {
  const fleet = await startFleet(parsed.config.workers, text, log)
  const admin = await openAdmin(parsed, fleetApi(fleet, file, log), log)
  return {
    announce: () => tellServing(log, file, parsed, fleet.ports, admin),
    reload() {
      reloadFleet(fleet, file, log).catch((error: unknown) => {
        log.error({ kind: 'reload', reason: (error as Error).message }, 'reload failed')
      })
    },
    drainMs: () => parsed.config.drainMs,
    async close(withinMs) {
      await fleet.close(withinMs)
      await admin?.close()
    },
  }
}

async function openAdmin(
  { config }: ParsedConfig,
  endpoints: Parameters<typeof serveAdmin>[1],
  log: Logger,
): Promise<AdminServer | null> {
  return config.admin === null ? null : serveAdmin(config.admin, endpoints, createRefusals(log, systemRuntime))
}

function tellServing(
  log: Logger,
  file: string,
  { config }: ParsedConfig,
  ports: object,
  admin: AdminServer | null,
): void {
  const { workers, routes } = config
  tellOfDescriptors(log, config)
  log.info(
    { kind: 'startup', file, ports, admin: admin?.port ?? null, workers, routes: routes.map(({ id }) => id) },
    'serving',
  )
}

/** What a policy allows that says nothing, or sets no cap: the least that an operator expects. */
const DEFAULT_CONNECTIONS = 10_000

/** Each connection takes two descriptors: its own and its backend's. */
function tellOfDescriptors(log: Logger, { routes, workers }: GatewayConfig): void {
  const allowed = routes.reduce(
    (sum, { policy }) => sum + (policy.handshake.connections?.total ?? DEFAULT_CONNECTIONS),
    0,
  )
  const room = roomFor(2) * workers
  if (room >= allowed) return
  const remedy = 'raise it (systemd: LimitNOFILE, Docker: --ulimit nofile), or lower handshake.connections.total'
  const facts = { kind: 'limits', files: mostDescriptors(), connections: room, allowed, remedy }
  log.warn(facts, 'the system lets this process open fewer files than the policies allow connections')
}

/** Resolves when a signal has been obeyed. */
function ended(served: Served, log: Logger): Promise<void> {
  return new Promise(resolve => {
    let asked = false
    const end = (signal: string): void => {
      if (asked) {
        log.warn({ kind: 'shutdown', signal }, 'asked twice: ending at once')
        resolve()
        return
      }
      asked = true
      const drainMs = served.drainMs()
      log.info({ kind: 'shutdown', signal, drainMs }, 'ending: connections are let go')
      const late = setTimeout(() => {
        log.warn({ kind: 'shutdown' }, 'some connections did not go in time')
        resolve()
      }, drainMs + PATIENCE_MS)
      const leave = async (): Promise<void> => {
        try {
          await served.close(drainMs)
        } catch (error) {
          log.error({ kind: 'shutdown', reason: (error as Error).message }, 'ending failed')
        }
        clearTimeout(late)
        log.info({ kind: 'shutdown' }, 'ended')
        resolve()
      }
      void leave()
    }
    process.on('SIGTERM', () => end('SIGTERM'))
    process.on('SIGINT', () => end('SIGINT'))
  })
}
