import { isThenable } from '../../model/thenable.ts'
import { deny, PASS, type Verdict } from '../../model/verdict.ts'
import type { HandshakeControl } from './handshake-control.ts'

/** The app's own rule: only `true` is a yes, so that a rule which forgets to answer refuses. */
export const authorize: HandshakeControl = {
  id: 'handshake/authorize',
  compile(policy) {
    const rule = policy.handshake.authorize
    if (rule === null) return null
    return ({ session, request }) => {
      if (session === null) return verdict(false)
      const answer: unknown = rule(session, request)
      return isThenable(answer) ? Promise.resolve(answer).then(verdict) : verdict(answer)
    }
  },
}

function verdict(answer: unknown): Verdict {
  return answer === true ? PASS : deny('SALLY_HANDSHAKE_FORBIDDEN', 'handshake.authorize did not answer true')
}
