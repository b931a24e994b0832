import type { RelayConfig } from '../model/config.ts'
import type { Address } from '../upstream/backend.ts'
import { createNameFilter } from './header-names.ts'
import { identityNames } from './identity.ts'

/** What plain HTTP and handshakes tell a backend alike. */
export interface Forwarding {
  /** Whether a header of the client may reach the backend as it is. */
  readonly passes: (name: string, nominated: ReadonlySet<string>) => boolean
  readonly hostOf: (clientHost: string) => (address: Address) => string
}

/** Compiles which of a client's headers pass. */
export function createForwarding(config: RelayConfig): Forwarding {
  const reserved = ['Cookie', 'Origin', ...Object.keys(config.headers), ...identityNames(config.identity)]
  return {
    passes: createNameFilter(reserved, config.dangerouslyPassHeaders),
    hostOf: clientHost => {
      if (config.host === 'client') return () => clientHost
      return config.host === 'upstream' ? ({ host }) => host : () => (config.host as { fixed: string }).fixed
    },
  }
}
