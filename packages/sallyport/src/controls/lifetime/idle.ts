import { deny } from '../../model/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/** No message in either direction (OWASP 23, ASVS 7.3.1). Pings and pongs are the network's life, not the user's. */
export const idle: LifetimeControl = {
  id: 'lifetime/idle',
  compile(policy) {
    const section = policy.lifetime.idle
    if (section === null) return null
    const silent = deny('SALLY_IDLE', `no message for ${section.afterMs} ms`)
    return {
      due: connection => connection.lastMessageAt + section.afterMs,
      look: () => silent,
    }
  },
}
