import type { HandshakeRequest } from '../../model/handshake-request.ts'
import type { Session } from '../../model/session.ts'
import { isThenable } from '../../model/thenable.ts'
import { type Awaitable, type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import { rule } from '../../shape/kinds.ts'
import { key } from '../../shape/shape.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { MessageCheck, MessageOf } from './message-control.ts'

/** `message.authorize` of a policy: decides whether this session may send this message. */
export type MessageRule<S extends Session = Session> = (
  session: S,
  message: { readonly [key: string]: unknown },
  request: HandshakeRequest,
) => Awaitable<boolean>

const KEYS = {
  '': key(
    rule<MessageRule>('(session, message, request) => boolean'),
    null,
    "The app's own rule, on the validated message. Anything but `true` denies.",
    { inFile: 'a rule of the app cannot be written in YAML: let the backend decide by the identity headers' },
  ),
}

const DENIALS = {
  SALLY_MESSAGE_FORBIDDEN: {
    action: 'reply',
    close: 1008,
    level: 'warn',
    event: 'authz_fail',
    requirements: ['S4', 'WS-15', 'WS-27', 'ASVS-8.3.2'],
    means: 'this session may not send this message',
    remedy: 'See the rule given as `message.authorize`.',
    tells: 'message.authorize did not answer true',
  },
} as const

const FORBIDDEN: Denial = denying(DENIALS)('SALLY_MESSAGE_FORBIDDEN')

/** Calls the app's own rule for this session and message. Any answer except `true` is a denial. */
export const authorize = defineControl({
  id: 'message/authorize',
  denies: 'this session may not send this type, or name this resource',
  default: 'declared types are allowed to every session',
  meets: ['S14', 'ASVS-7.5.3', 'WS-31'],
  notProbed: 'only the app knows who may send what: from outside, its rule cannot be told from the absence of one',
  keys: KEYS,
  denials: DENIALS,
  read: (message): MessageRule | null => KEYS[''].shape.read(message, 'authorize', null),
  effective: section =>
    section === null ? off('no rule: declared types are allowed to every session') : on("the app's rule"),
  compile({ message }: MessageOf<{ authorize: MessageRule | null }>): MessageCheck | null {
    const asked = message.authorize
    if (asked === null) return null
    return (subject, connection) => {
      const answer = asked(connection.session, subject.value as { readonly [key: string]: unknown }, connection.request)
      if (answer === true) return PASS
      return isThenable(answer) ? Promise.resolve(answer).then(judge) : FORBIDDEN
    }
  },
})

function judge(answer: unknown): Verdict {
  return answer === true ? PASS : FORBIDDEN
}
