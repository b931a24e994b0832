import { shutdown } from '../controls/lifetime/shutdown.ts'
import { backpressure } from '../controls/lifetime/backpressure.ts'
import { session } from '../controls/lifetime/session.ts'
import { age } from '../controls/lifetime/age.ts'
import { idle } from '../controls/lifetime/idle.ts'
import type { Earlier } from '../controls/definition.ts'
import { heartbeat } from '../controls/lifetime/heartbeat.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { openChild, refuseIdle } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { readDuration } from '../shape/scalars.ts'
import type { Policy } from '../model/policy.ts'

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

type Lifetime = Policy['lifetime']

/** Reads `lifetime`: what ends a connection. */
export function readLifetime(lifetime: Fields, handshake: Policy['handshake'], sections: Earlier): Lifetime {
  const authentication = openChild(lifetime, 'authentication', ['deadline'])
  const hasFirst = handshake.ticket?.carrier === 'first-message'
  if (!hasFirst) refuseIdle(authentication, 'deadline', "handshake.ticket.carrier: 'first-message'")
  const deadlineMs = readDuration(authentication, 'deadline', DEFAULTS.authenticationMs)
  return Object.freeze({
    authentication: hasFirst ? Object.freeze({ deadlineMs }) : null,
    heartbeat: sections.sectionOf(heartbeat),
    idle: sections.sectionOf(idle),
    age: sections.sectionOf(age),
    session: sections.sectionOf(session),
    backpressure: sections.sectionOf(backpressure),
    shutdown: sections.sectionOf(shutdown),
  })
}
