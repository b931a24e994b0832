import type { Guard } from 'sallyport'
import { kindOf, requireNumber, requireOptions } from 'sallyport/internal'
import type { GatewayConfig } from '../model/config.ts'
import type { GatewayParts } from '../model/gateway.ts'

const KEYS: readonly (keyof GatewayParts)[] = ['config', 'guardOf', 'log']
const METHODS = ['info', 'warn', 'error'] as const
/** As long as a guard can drain: 24 days. */
const LONGEST_MS = 24 * 86_400_000

/**
 * What a gateway is made of, once it is known to be valid; an invalid guard is reported by its route. Throws a `TypeError`
 * that says what to write instead.
 */
export function requireParts(parts: GatewayParts): GatewayParts {
  requireOptions('createGateway', parts, KEYS, 'createGateway({ config, guardOf, log })', { logger: 'log: pino()' })
  const { config, guardOf, log } = parts
  requireConfig('createGateway', config)
  if (typeof guardOf !== 'function') {
    misuse(`guardOf is ${kindOf(guardOf)}, not a function; write guardOf: createGuardOf({ … })`)
  }
  const missing = METHODS.filter(method => typeof (log as typeof log | undefined)?.[method] !== 'function')
  if (missing.length > 0) misuse(`log is ${kindOf(log)}, which lacks ${missing.join(', ')}; write log: pino()`)
  return {
    config,
    log,
    guardOf(route, whole) {
      const guard: unknown = guardOf(route, whole)
      if (!isGuard(guard)) {
        misuse(
          `guardOf answers ${kindOf(guard)} for the route ${route.id}; answer what createGuard(…) returns, at once`,
        )
      }
      return guard
    },
  }
}

/** Throws for what `parseConfig` did not answer: its text, the name of its file, or a promise of it. */
export function requireConfig(who: string, config: unknown): asserts config is GatewayConfig {
  const { listeners, routes, upstreams } = (config ?? {}) as Partial<GatewayConfig>
  if (Array.isArray(listeners) && Array.isArray(routes) && typeof upstreams === 'object') return
  throw new TypeError(
    `${who}: config is ${kindOf(config)}, not a configuration that was read; write parseConfig(text, { file })`,
  )
}

/** Throws for an invalid time, before anything is closed. */
export function requireWithin(who: string, withinMs: unknown): void {
  requireNumber(who, 'withinMs', withinMs, { least: 0, most: LONGEST_MS, fraction: true })
}

function isGuard(value: unknown): value is Guard {
  return typeof value === 'object' && value !== null && 'policy' in value && 'drain' in value
}

function misuse(what: string): never {
  throw new TypeError(`createGateway: ${what}`)
}
