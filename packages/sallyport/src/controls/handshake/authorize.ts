import type { HandshakeRequest } from '../../model/handshake-request.ts'
import type { Session } from '../../model/session.ts'
import { isThenable } from '../../model/thenable.ts'
import { type Awaitable, PASS, type Verdict } from '../../model/verdict.ts'
import { rule } from '../../shape/kinds.ts'
import { key } from '../../shape/shape.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'

/** `handshake.authorize` of a policy: decides whether this session may open this path. */
export type HandshakeRule<S extends Session = Session> = (session: S, request: HandshakeRequest) => Awaitable<boolean>

const KEYS = {
  '': key(
    rule<HandshakeRule>('(session, request) => boolean'),
    null,
    "The app's own rule. Anything but `true` denies.",
  ),
}

const DENIALS = {
  SALLY_HANDSHAKE_FORBIDDEN: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'authz_fail',
    requirements: ['S4', 'WS-15', 'WS-27'],
    means: "the app's own rule refuses this session on this path",
    remedy: 'See the rule given as `handshake.authorize`.',
    tells: {
      rule: 'handshake.authorize did not answer true',
      'ticket-path': 'the ticket request names a path that is not in handshake.ticket.paths',
    },
  },
} as const
const deny = denying(DENIALS)

/** The app's own rule. Only `true` passes, so a rule that forgets to return a value denies. */
export const authorize = defineControl({
  id: 'handshake/authorize',
  denies: "the app's own rule (path, room, tenant) says no",
  default: 'no rule: every session may open',
  notProbed: 'only the app knows who may open which path: from outside, a refusal by its rule looks like any other 403',
  keys: KEYS,
  denials: DENIALS,
  read: (handshake): HandshakeRule | null => KEYS[''].shape.read(handshake, 'authorize', null),
  effective: section => (section === null ? off('no rule: every session may open') : on("the app's rule")),
  compile(policy: HandshakeOf<{ authorize: HandshakeRule | null }>): HandshakeCheck | null {
    const asked = policy.handshake.authorize
    if (asked === null) return null
    return ({ session, request }) => {
      if (session === null) return verdict(false)
      const answer: unknown = asked(session, request)
      return isThenable(answer) ? Promise.resolve(answer).then(verdict) : verdict(answer)
    }
  },
})

function verdict(answer: unknown): Verdict {
  return answer === true ? PASS : deny('SALLY_HANDSHAKE_FORBIDDEN', { reason: 'rule' })
}
