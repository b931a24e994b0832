import { deny } from '../../model/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/**
 * In first-message mode, closes a connection that sends no valid first message in time. It holds a socket without a
 * right to it.
 */
export const authentication: LifetimeControl = {
  id: 'lifetime/authentication',
  compile(policy) {
    const section = policy.lifetime.authentication
    if (section === null) return null
    const late = deny('SALLY_AUTHENTICATION_DEADLINE', `no valid first message within ${section.deadlineMs} ms`)
    return {
      due: connection => (connection.authenticated ? Infinity : connection.openedAt + section.deadlineMs),
      look: () => late,
    }
  },
}
