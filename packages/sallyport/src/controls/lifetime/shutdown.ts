import { deny, PASS } from '../../model/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/** How often a connection that still handles a message is looked at, in ms. */
const LOOK_MS = 100

/**
 * Lets a draining server's connections go one by one (1012), so that they do not all come back in the same instant. Handlers
 * that run may answer first, within the time of the drain.
 */
export const shutdown: LifetimeControl = {
  id: 'lifetime/shutdown',
  compile() {
    const draining = deny('SALLY_SHUTDOWN', 'the server drains')
    return {
      due: ({ leaveAt }) => (leaveAt === 0 ? Infinity : leaveAt),
      look(connection, now) {
        if (!connection.handling || connection.leaveBy <= now) return draining
        connection.leaveAt = Math.min(now + LOOK_MS, connection.leaveBy)
        return PASS
      },
    }
  },
}
