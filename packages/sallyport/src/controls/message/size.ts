import type { ControlContext } from '../context.ts'
import type { Policy } from '../../model/policy.ts'
import { PASS, deny } from '../../model/verdict.ts'
import type { Verdict } from '../../model/verdict.ts'
import { excessMs, spent } from './gcra.ts'
import type { MessageConnection, MessageControl } from './message-control.ts'

/**
 * Denies a message of more than `message.size.bytes` bytes. The transport enforces the same bound before memory is
 * spent; this is the second lock, for transports that cannot.
 */
export const size: MessageControl = {
  id: 'message/size',
  compile({ message }) {
    const { bytes } = message.size
    const tooBig = deny('SALLY_MESSAGE_TOO_BIG', `more than ${bytes} bytes`)
    return subject => (subject.bytes <= bytes ? PASS : tooBig)
  },
}

/** A compiled check of one ping, pong or other control frame. */
export type ControlFrameCheck = (connection: MessageConnection) => Verdict

/**
 * Compiles the bound on control frames (`message.size.controlFrames`): to be called for each one that arrives.
 * A flood of pings costs a pong each, and passes every bound on messages (RFC 6455 §5.5).
 */
export function controlFrames({ message }: Policy, { now }: ControlContext): ControlFrameCheck {
  const budget = message.size.controlFrames
  return connection => {
    const time = now()
    const excess = excessMs(connection.controlFrameTat, time, 1, budget)
    if (excess > 0) {
      return deny('SALLY_CONTROL_FRAMES', `more than ${budget.amount} in ${budget.perMs} ms`, excess / 1000)
    }
    connection.controlFrameTat = spent(connection.controlFrameTat, time, 1, budget)
    return PASS
  }
}
