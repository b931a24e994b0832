import type { Logger } from 'pino'
import { adminApi } from '../admin/admin-api.ts'
import { type AdminServer, serveAdmin } from '../admin/admin-server.ts'
import { createMetrics } from '../admin/metrics.ts'
import { ConfigError, formatProblems } from '../config/config-error.ts'
import type { ParsedConfig } from '../config/parse.ts'
import { readConfigFile, type Running, startRunning } from '../reload/running.ts'
import { refuseBadFiles } from './check.ts'
import { createLog } from './log.ts'
import type { ExitCode, Terminal } from './terminal.ts'
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

/** `run`: serves until it is told to end. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values } = readArguments(args, COMMON)
  const file = values.config ?? DEFAULT_FILE
  let parsed: ParsedConfig
  try {
    parsed = readConfigFile(file)
    refuseBadFiles(file, parsed.config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    terminal.err(
      values.json === true ? JSON.stringify({ ok: false, problems: error.problems }) : formatProblems(error.problems),
    )
    return 1
  }
  const log = createLog(parsed.config.log, parsed.config.name)
  let running: Running
  let admin: AdminServer | null = null
  try {
    running = await startRunning({ file, parsed, log })
    if (parsed.config.admin !== null) {
      admin = await serveAdmin(parsed.config.admin, adminApi(running, createMetrics(running)))
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    log.error({ kind: 'startup', code }, `the gateway cannot start: ${message}`)
    return process.exit(1)
  }
  log.info(
    {
      kind: 'startup',
      file,
      ports: Object.fromEntries(running.gateway.ports),
      admin: admin?.port ?? null,
      routes: parsed.config.routes.map(({ id }) => id),
    },
    'serving',
  )
  process.on('SIGHUP', () => void running.reload())
  await ended(running, admin, log)
  // What is left (idle connections to backends and to the app) is nobody's.
  return process.exit(0)
}

/** Resolves when a signal has been obeyed. */
function ended(running: Running, admin: AdminServer | null, log: Logger): Promise<void> {
  return new Promise(resolve => {
    let asked = false
    const end = (signal: string): void => {
      if (asked) {
        log.warn({ kind: 'shutdown', signal }, 'asked twice: ending at once')
        resolve()
        return
      }
      asked = true
      const { drainMs } = running.config
      log.info({ kind: 'shutdown', signal, drainMs }, 'ending: connections are let go')
      const late = setTimeout(() => {
        log.warn({ kind: 'shutdown' }, 'some connections did not go in time')
        resolve()
      }, drainMs + PATIENCE_MS)
      const leave = async (): Promise<void> => {
        try {
          await running.close(drainMs)
          await admin?.close()
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
