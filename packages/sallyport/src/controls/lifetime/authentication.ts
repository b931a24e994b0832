import { refuseIdle } from '../../shape/fields.ts'
import { duration } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { durationInWords } from '../../shape/words.ts'
import { defineControl, denying, on, unneeded } from '../definition.ts'
import { ticket } from '../handshake/ticket.ts'
import type { LifetimeOf } from './lifetime-control.ts'
import type { LifetimeCheck } from './timed-connection.ts'

/** `lifetime.authentication` of a policy, after it was read. */
export interface AuthenticationSection {
  readonly deadlineMs: number
}

const DEADLINE_MS = 5000

const KEYS = {
  deadline: key(duration(), DEADLINE_MS, 'From the upgrade to the first message.', {
    because: 'the client sends its first message in its `open` event: one round trip',
  }),
}
export type AuthenticationInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_AUTHENTICATION_DEADLINE: {
    action: 'close',
    close: 4401,
    level: 'warn',
    event: 'authn_login_fail',
    requirements: ['S2', 'S9', 'WS-13'],
    means: 'no valid first message within the deadline',
    remedy: 'Send {"type":"auth","csrfToken":…} as the first message; see `lifetime.authentication`.',
    tells: 'no valid first message within {deadlineMs} ms',
  },
  SALLY_AUTHENTICATION_FIRST: {
    action: 'close',
    close: 4401,
    level: 'warn',
    event: 'sequence_fail',
    requirements: ['S2', 'WS-13'],
    means: 'the first message was not a valid authentication',
    remedy: 'Send {"type":"auth","csrfToken":…} before anything else.',
    tells: {
      'not-awaited': 'an authentication message on a connection that waits for none',
      form: 'the first message is not {form}',
      binary: 'the first message is binary',
    },
  },
} as const
const deny = denying(DENIALS)

/**
 * In first-message mode, closes a connection that sends no valid first message in time. It holds a socket without a
 * right to it.
 */
export const authentication = defineControl({
  id: 'lifetime/authentication',
  denies: 'no valid first message comes within the deadline, in first-message mode; nothing but it is accepted before',
  default: `${durationInWords(DEADLINE_MS)}, with \`handshake.ticket.carrier: 'first-message'\``,
  keys: KEYS,
  example: "authentication: { deadline: '5 seconds' }",
  denials: DENIALS,
  read(lifetime, earlier): AuthenticationSection | null {
    const section = openSection(lifetime, { id: 'lifetime/authentication', keys: KEYS })
    const hasFirst = earlier.sectionOf(ticket)?.carrier === 'first-message'
    if (!hasFirst) refuseIdle(section.fields, 'deadline', "handshake.ticket.carrier: 'first-message'")
    const deadlineMs = section.value('deadline')
    return hasFirst ? Object.freeze({ deadlineMs }) : null
  },
  effective: section =>
    section === null ? unneeded('not needed: decided before the upgrade') : on(durationInWords(section.deadlineMs)),
  compile(policy: LifetimeOf<{ authentication: AuthenticationSection | null }>): LifetimeCheck | null {
    const section = policy.lifetime.authentication
    if (section === null) return null
    const { deadlineMs } = section
    const late = deny('SALLY_AUTHENTICATION_DEADLINE', { deadlineMs })
    return {
      due: connection => (connection.authenticated ? Infinity : connection.openedAt + deadlineMs),
      look: () => late,
    }
  },
})
