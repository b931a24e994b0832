import { deny } from '../policy/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/** Lets a draining server's connections go one by one (1012), so that they do not all come back in the same instant. */
export const shutdown: LifetimeControl = {
  id: 'lifetime/shutdown',
  compile() {
    const draining = deny('SALLY_SHUTDOWN', 'the server drains')
    return {
      due: ({ leaveAt }) => (leaveAt === 0 ? Infinity : leaveAt),
      look: () => draining,
    }
  },
}
