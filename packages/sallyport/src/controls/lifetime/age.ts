import { deny } from '../../model/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/** The part of the bound over which connections that opened together end. */
const SPREAD = 0.1

/**
 * The absolute bound on a connection's life (ASVS 7.3.2): the client reconnects, and is asked for everything again. It
 * closes within the last tenth of the bound, so that those who came together after a deploy do not come together again.
 */
export const age: LifetimeControl = {
  id: 'lifetime/age',
  compile(policy) {
    const section = policy.lifetime.age
    if (section === null) return null
    const { maxMs } = section
    const old = deny('SALLY_AGE', `the greatest age is ${maxMs} ms; closes are spread over its last tenth`)
    return {
      due: ({ openedAt, spread }) => openedAt + maxMs * (1 - SPREAD * spread),
      look: () => old,
    }
  },
}
