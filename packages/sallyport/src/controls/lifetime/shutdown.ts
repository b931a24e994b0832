import { PASS } from '../../model/verdict.ts'
import { duration } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { durationInWords } from '../../shape/words.ts'
import { defineControl, denying, on } from '../definition.ts'
import type { LifetimeCheck } from './timed-connection.ts'

/** `lifetime.shutdown` of a parsed policy. */
export interface ShutdownSection {
  readonly withinMs: number
}

const WITHIN_MS = 10_000

const KEYS = {
  within: key(duration(), WITHIN_MS, 'The closes are spread over this time.', {
    because: 'orchestrators kill after 30 s; the closes are spread over 10 so that nobody returns at once',
  }),
}
export type ShutdownInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_SHUTDOWN: {
    action: 'close',
    close: 1012,
    http: 503,
    level: 'info',
    event: 'sys_shutdown',
    requirements: ['S9'],
    means: 'the server drains',
    remedy: 'Nothing: the client reconnects.',
    tells: 'the server drains',
  },
} as const
const deny = denying(DENIALS)

/** Interval, in ms, of the checks on a connection that still handles a message. */
const LOOK_MS = 100

/**
 * Closes the connections of a draining server one by one (1012), so that the clients do not all return at once. Running
 * handlers may answer first, within the time of the drain.
 */
export const shutdown = defineControl({
  id: 'lifetime/shutdown',
  denies: 'the server drains: 1012 with server-side jitter',
  default: durationInWords(WITHIN_MS),
  notProbed: 'only the operator can make the server drain',
  keys: KEYS,
  example: "shutdown: { within: '10 seconds' }",
  denials: DENIALS,
  read(lifetime): ShutdownSection {
    const section = openSection(lifetime, { id: 'lifetime/shutdown', keys: KEYS })
    return Object.freeze({ withinMs: section.value('within') })
  },
  effective: section => on(durationInWords(section.withinMs)),
  compile(): LifetimeCheck {
    const draining = deny('SALLY_SHUTDOWN')
    return {
      due: ({ leaveAt }) => (leaveAt === 0 ? Infinity : leaveAt),
      look(connection, now) {
        if (!connection.handling || connection.leaveBy <= now) return draining
        connection.leaveAt = Math.min(now + LOOK_MS, connection.leaveBy)
        return PASS
      },
    }
  },
})
