import type { Earlier } from '../controls/definition.ts'
import { heartbeat } from '../controls/lifetime/heartbeat.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { openChild, readOff, refuseIdle } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { readDuration, readSize } from '../shape/scalars.ts'
import type { Policy } from '../model/policy.ts'
import type { ControlId } from '../model/verdict.ts'

/** Keys of `lifetime`. */
export const LIFETIME_KEYS: readonly string[] = [
  'authentication',
  'heartbeat',
  'idle',
  'age',
  'session',
  'backpressure',
  'shutdown',
]

/** No session lives for longer: ten years. */
const LONGEST_REMEMBERED_MS = 3650 * 24 * 3_600_000

type Lifetime = Policy['lifetime']

/** `lifetime`: what ends a connection. */
export function readLifetime(lifetime: Fields, handshake: Policy['handshake'], sections: Earlier): Lifetime {
  const authentication = openChild(lifetime, 'authentication', ['deadline'])
  const hasFirst = handshake.ticket?.carrier === 'first-message'
  if (!hasFirst) refuseIdle(authentication, 'deadline', "handshake.ticket.carrier: 'first-message'")
  const deadlineMs = readDuration(authentication, 'deadline', DEFAULTS.authenticationMs)
  const backpressure = openChild(lifetime, 'backpressure', ['bytes', 'for'])
  return Object.freeze({
    authentication: hasFirst ? Object.freeze({ deadlineMs }) : null,
    heartbeat: sections.sectionOf(heartbeat),
    idle: readBound(lifetime, 'idle', 'after', DEFAULTS.idleMs, afterMs => ({ afterMs })),
    age: readBound(lifetime, 'age', 'max', DEFAULTS.ageMs, maxMs => ({ maxMs })),
    session: readSessionChecks(lifetime),
    backpressure: Object.freeze({
      bytes: readSize(backpressure, 'bytes', DEFAULTS.backpressureBytes),
      forMs: readDuration(backpressure, 'for', DEFAULTS.backpressureMs),
    }),
    shutdown: Object.freeze({
      withinMs: readDuration(openChild(lifetime, 'shutdown', ['within']), 'within', DEFAULTS.shutdownMs),
    }),
  })
}

function readBound<T extends object>(
  lifetime: Fields,
  key: string,
  bound: string,
  fallback: number,
  build: (ms: number) => T,
): Readonly<T> | null {
  const section = openChild(lifetime, key, [bound, 'dangerouslyOff'])
  const off = readOff(section, `lifetime/${key}` satisfies ControlId)
  const ms = readDuration(section, bound, fallback)
  return off ? null : Object.freeze(build(ms))
}

function readSessionChecks(lifetime: Fields): Lifetime['session'] {
  const section = openChild(lifetime, 'session', ['recheck', 'grace', 'remember', 'dangerouslyOff'])
  const off = readOff(section, 'lifetime/session')
  const recheckMs = readDuration(section, 'recheck', DEFAULTS.recheckMs)
  // Shorter than the time between two look-ups, it would be over before the first one fails.
  const graceMs = readDuration(section, 'grace', Math.max(DEFAULTS.graceMs, 2 * recheckMs), 0)
  const rememberMs = readDuration(section, 'remember', DEFAULTS.rememberMs, 1, LONGEST_REMEMBERED_MS)
  return off ? null : Object.freeze({ recheckMs, graceMs, rememberMs })
}
