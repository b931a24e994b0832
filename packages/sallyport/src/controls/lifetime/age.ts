import { duration, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { durationInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { LifetimeOf } from './lifetime-control.ts'
import type { LifetimeCheck } from './timed-connection.ts'

/** `lifetime.age` of a parsed policy. */
export interface AgeSection {
  readonly maxMs: number
}

const MAX_MS = 12 * 3_600_000

const KEYS = {
  max: key(duration(), MAX_MS, 'Greatest age of a connection.', {
    because: 'a working day (ASVS 7.3.2); the client reconnects with a new ticket (WS-14)',
  }),
  dangerouslyOff: OFF,
}
export type AgeInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_AGE: {
    action: 'close',
    close: 4409,
    level: 'info',
    event: 'session_expired',
    requirements: ['WS-14', 'ASVS-7.3.2'],
    means: 'the connection reached its greatest age',
    remedy: 'Nothing: the client reconnects with a new ticket. `lifetime.age` sets the bound.',
    tells: 'the greatest age is {maxMs} ms; closes are spread over its last tenth',
  },
} as const
const deny = denying(DENIALS)

/** The part of the bound over which the ends of connections that opened together are spread. */
const SPREAD = 0.1

/**
 * The absolute bound on the life of a connection (ASVS 7.3.2). The client reconnects, and every check runs again. The
 * connection closes within the last tenth of the bound, so that clients that came together after a deploy do not return
 * together.
 */
export const age = defineControl({
  id: 'lifetime/age',
  denies: 'it is older than the absolute bound',
  default: `${durationInWords(MAX_MS)} (client reconnects)`,
  meets: ['ASVS-7.1.1'],
  notProbed: 'the bound is hours: a probe that waits as long is none',
  keys: KEYS,
  example: "age: { max: '12 hours' }",
  denials: DENIALS,
  read(lifetime): AgeSection | null {
    const section = openSection(lifetime, { id: 'lifetime/age', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const maxMs = section.value('max')
    return isOff ? null : Object.freeze({ maxMs })
  },
  effective: section => (section === null ? off('no bound') : on(durationInWords(section.maxMs))),
  compile(policy: LifetimeOf<{ age: AgeSection | null }>): LifetimeCheck | null {
    const section = policy.lifetime.age
    if (section === null) return null
    const { maxMs } = section
    const old = deny('SALLY_AGE', { maxMs })
    return {
      due: ({ openedAt, spread }) => openedAt + maxMs * (1 - SPREAD * spread),
      look: () => old,
    }
  },
})
