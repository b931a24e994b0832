import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Store } from 'sallyport'
import { createMemoryStore } from 'sallyport/store/memory'
import { ConfigError, type ConfigProblem, problemsIn } from '../config/config-error.ts'
import { type ParsedConfig, parseConfigFully } from '../config/parse.ts'
import type { GatewayConfig } from '../model/config.ts'
import type { Gateway, ReplaceResult } from '../model/gateway.ts'
import { createGateway } from './gateway.ts'
import { createGuardOf } from './route-guard.ts'
import { randomSecrets, type Secrets } from './shared-parts.ts'
import { openSharedStore } from './shared-store.ts'
import { createWouldDeny, type WouldDenyCounts } from './would-deny.ts'

/** What a reload came to. A configuration that is refused changes nothing. */
export type ReloadResult =
  | (ReplaceResult & { readonly ok: true; readonly needsRestart: readonly string[]; readonly ms: number })
  | { readonly ok: false; readonly problems: readonly ConfigProblem[]; readonly reason: string }

/** A gateway that runs of a file. */
export interface Running {
  readonly gateway: Gateway
  readonly wouldDeny: WouldDenyCounts
  /** The configuration that is in force. */
  readonly config: GatewayConfig
  /** Ms since the epoch of the last reload that was taken on. */
  readonly loadedAt: number
  readonly reloads: { readonly taken: number; readonly refused: number }
  /** One was refused before it came here. */
  countRefused(): void
  readonly draining: boolean
  /**
   * Reads the file again, or takes the text of it that another process has read. Reloads come one after the other; those
   * that are asked for while one waits share it, with the text that came last.
   */
  reload(text?: string): Promise<ReloadResult>
  drain(withinMs?: number): Promise<void>
  close(withinMs?: number): Promise<void>
}

/** What a gateway runs with. */
export interface RunningParts {
  readonly file: string
  readonly parsed: ParsedConfig
  readonly log: Logger
  readonly env?: { readonly [name: string]: string | undefined }
  readonly secrets?: Secrets
  /** Makes the store, where the configuration names none. */
  readonly store?: () => Store
}

/** The text of a configuration file. Throws a `ConfigError` where it cannot be read. */
export function readConfigText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    const problem = { file, line: 1, column: 1, path: '', value: '', message: `the file cannot be read (${code})` }
    throw new ConfigError([{ ...problem, remedy: 'name it with --config, or write one with `sallyport-gateway init`' }])
  }
}

/** Reads a configuration file. Throws a `ConfigError`, also for a file that cannot be read. */
export function readConfigFile(
  file: string,
  env: { readonly [name: string]: string | undefined } = process.env,
): ParsedConfig {
  return parseConfigFully(readConfigText(file), { file, env })
}

/** Starts a gateway: it serves when the promise resolves. Rejects with the first error of a listener or a policy. */
export async function startRunning(parts: RunningParts): Promise<Running> {
  const { file, parsed, log, env = process.env } = parts
  const shared = parsed.config.store == null ? null : await openSharedStore(parsed.config.store, log)
  const secrets = shared?.secrets ?? parts.secrets ?? randomSecrets()
  const store = shared?.store ?? parts.store?.() ?? createMemoryStore()
  const wouldDeny = createWouldDeny()
  const guardOf = createGuardOf({
    ...secrets,
    store,
    logOf: route => log.child({ route }),
    reported: (route, event) => wouldDeny.note(route, event),
  })
  let { config } = parsed
  let loadedAt = Date.now()
  let draining = false
  const reloads = { taken: 0, refused: 0 }
  const gateway = createGateway({ config, guardOf, log })
  await gateway.listen()
  tellWeakened(log, parsed)

  const refused = (reason: string, problems: readonly ConfigProblem[] = []): ReloadResult => {
    reloads.refused++
    log.error(
      { kind: 'reload', ok: false, reason, problems },
      `reload refused: ${reason}; the old configuration stands`,
    )
    return { ok: false, problems, reason }
  }

  const take = async (text?: string): Promise<ReloadResult> => {
    const started = performance.now()
    if (draining) return refused('the gateway drains')
    let next: ParsedConfig
    try {
      next = parseConfigFully(text ?? readConfigText(file), { file, env })
    } catch (error) {
      if (error instanceof ConfigError) return refused(problemsIn(file, error), error.problems)
      throw error
    }
    try {
      const result = await gateway.replace(next.config)
      const needsRestart = (['admin', 'workers', 'log', 'store'] as const).filter(
        key => JSON.stringify(next.config[key]) !== JSON.stringify(parsed.config[key]),
      )
      ;({ config } = next)
      loadedAt = Date.now()
      reloads.taken++
      const ms = Math.round(performance.now() - started)
      log.info({ kind: 'reload', ok: true, ms, ...result }, 'reloaded')
      if (needsRestart.length > 0)
        log.warn({ kind: 'reload', needsRestart }, `changes of ${needsRestart.join(', ')} take effect at a restart`)
      tellWeakened(log, next)
      return { ok: true, ...result, needsRestart, ms }
    } catch (error) {
      return refused(error instanceof Error ? error.message : 'it failed')
    }
  }

  return {
    gateway,
    wouldDeny,
    reloads,
    countRefused() {
      reloads.refused++
    },
    get config() {
      return config
    },
    get loadedAt() {
      return loadedAt
    },
    get draining() {
      return draining
    },
    reload: oneAtATime(take),
    async drain(withinMs = config.drainMs) {
      draining = true
      log.info({ kind: 'drain', withinMs }, 'draining')
      await gateway.drain(withinMs)
    },
    async close(withinMs = config.drainMs) {
      draining = true
      await gateway.close(withinMs)
      await shared?.close()
    },
  }
}

function tellWeakened(log: Logger, { weakened }: ParsedConfig): void {
  for (const { path, message, accepted } of weakened) {
    if (accepted === null) log.warn({ kind: 'weakened', path }, message)
    else log.info({ kind: 'weakened', path, accepted }, message)
  }
}

/** Runs reloads one after the other; those that are asked for while one waits share it, with the text that came last. */
function oneAtATime(take: (text?: string) => Promise<ReloadResult>): (text?: string) => Promise<ReloadResult> {
  let current: Promise<ReloadResult> | null = null
  let waiting: Promise<ReloadResult> | null = null
  let latest: string | undefined
  const reload = (text?: string): Promise<ReloadResult> => {
    latest = text
    if (waiting !== null) return waiting
    if (current === null) {
      current = take(text).finally(() => {
        current = null
      })
      return current
    }
    // What is asked for now may have been written after the running one read the file: one more run serves all who ask.
    waiting = current.then(() => {
      waiting = null
      return reload(latest)
    })
    return waiting
  }
  return reload
}
