import { deny } from '../policy/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/** The absolute bound on a connection's life (ASVS 7.3.2): the client reconnects, and is asked for everything again. */
export const age: LifetimeControl = {
  id: 'lifetime/age',
  compile(policy) {
    const section = policy.lifetime.age
    if (section === null) return null
    const old = deny('SALLY_AGE', `open for ${section.maxMs} ms`)
    return {
      due: connection => connection.openedAt + section.maxMs,
      look: () => old,
    }
  },
}
