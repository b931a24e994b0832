import { PASS, deny } from '../../model/verdict.ts'
import { isThenable } from '../../model/thenable.ts'
import type { Denial, Verdict } from '../../model/verdict.ts'
import type { MessageControl } from './message-control.ts'

const FORBIDDEN: Denial = deny('SALLY_MESSAGE_FORBIDDEN', 'message.authorize did not answer true')

/** Asks the app's own rule whether this session may send this message. Anything but `true` is a denial. */
export const authorize: MessageControl = {
  id: 'message/authorize',
  compile({ message }) {
    const rule = message.authorize
    if (rule === null) return null
    return (subject, connection) => {
      const answer = rule(connection.session, subject.value as { readonly [key: string]: unknown }, connection.request)
      if (answer === true) return PASS
      return isThenable(answer) ? Promise.resolve(answer).then(judge) : FORBIDDEN
    }
  },
}

function judge(answer: unknown): Verdict {
  return answer === true ? PASS : FORBIDDEN
}
