import { duration, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { durationInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { LifetimeOf } from './lifetime-control.ts'
import type { LifetimeCheck } from './timed-connection.ts'

/** `lifetime.idle` of a parsed policy. */
export interface IdleSection {
  readonly afterMs: number
}

const AFTER_MS = 15 * 60_000

const KEYS = {
  after: key(duration(), AFTER_MS, 'Without a message in either direction. Pings and pongs do not count.', {
    because: 'as long as an unattended screen may stay signed in (OWASP WS-23, ASVS 7.3.1)',
  }),
  dangerouslyOff: OFF,
}
export type IdleInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_IDLE: {
    action: 'close',
    close: 4408,
    level: 'info',
    event: 'session_expired',
    requirements: ['S9', 'WS-23', 'ASVS-7.3.1'],
    means: 'no message within the bound',
    remedy:
      'Raise `lifetime.idle`; the client reconnects when it has something to say, or while its page is visible and listens.',
    tells: 'no message for {afterMs} ms',
  },
} as const
const deny = denying(DENIALS)

/**
 * Closes a connection without messages in either direction (OWASP 23, ASVS 7.3.1). Pings and pongs do not count: they
 * show that the network works, not that the user is there.
 */
export const idle = defineControl({
  id: 'lifetime/idle',
  denies: 'no message comes for the bound',
  default: durationInWords(AFTER_MS),
  meets: ['ASVS-7.1.1'],
  keys: KEYS,
  example: "idle: { after: '15 minutes' }",
  denials: DENIALS,
  read(lifetime): IdleSection | null {
    const section = openSection(lifetime, { id: 'lifetime/idle', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const afterMs = section.value('after')
    return isOff ? null : Object.freeze({ afterMs })
  },
  effective: section => (section === null ? off('no bound') : on(durationInWords(section.afterMs))),
  compile(policy: LifetimeOf<{ idle: IdleSection | null }>): LifetimeCheck | null {
    const section = policy.lifetime.idle
    if (section === null) return null
    const silent = deny('SALLY_IDLE', { afterMs: section.afterMs })
    return {
      due: connection => connection.lastMessageAt + section.afterMs,
      look: () => silent,
    }
  },
})
