import { systemRuntime } from 'sallyport/internal'
import type { UpstreamConfig } from '../../src/model/config.ts'
import type { LifeAnswer } from '../../src/upstream/life-probe.ts'
import { createPool, type Pool } from '../../src/upstream/pool.ts'
import type { Address } from '../../src/upstream/backend.ts'
import { UPSTREAM } from './gateway-world.ts'

/** A pool and all that a test may change of its surroundings. */
export interface Bench {
  readonly pool: Pool
  readonly clock: { now: number }
  readonly told: string[]
  /** Hosts that were probed, in order. */
  readonly probed: string[]
  /** What a probe of each finds: null is life. */
  readonly found: { [host: string]: LifeAnswer }
}

/** A pool on a clock of the test's own, none of whose backends is ever called. */
export function poolOf(config: Partial<UpstreamConfig>, names = 'abc'): Bench {
  const clock = { now: 1_700_000_000_000 }
  const told: string[] = []
  const probed: string[] = []
  const found: Bench['found'] = {}
  const tell = (_facts: object, message: string): void => void told.push(message)
  const targets = Array.from(names, name => `ws://${name}:1`)
  const probe = ({ hostname }: Address): Promise<LifeAnswer> => {
    probed.push(hostname)
    return Promise.resolve(found[hostname] ?? null)
  }
  const log = { info: tell, warn: tell }
  const pool = createPool('app', { ...UPSTREAM, ...config, targets }, log, {
    runtime: { ...systemRuntime, now: () => clock.now },
    probe,
  })
  return { pool, clock, told, probed, found }
}
/** Waits until a probe has been judged. */
export const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
/** What a probe of a dead backend finds. */
export const DEAD: LifeAnswer = { reason: 'no answer within 5000 ms', own: false }
/** The hosts that are chosen one after the other; `-` for none. */
export const picked = (pool: Pool, times: number): string =>
  Array.from({ length: times }, () => pool.pick()?.address.hostname ?? '-').join('')
