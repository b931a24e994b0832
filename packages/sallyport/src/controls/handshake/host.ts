import { deny, PASS } from '../../model/verdict.ts'
import type { HandshakeControl } from './handshake-control.ts'

/**
 * Compiles whether a Host header is one of these names. An entry without a port serves every port of its name.
 *
 * @param own names without a port that are served besides, also those that are added later
 */
export function createHostCheck(
  names: readonly string[],
  own: ReadonlySet<string> = NONE,
): (header: string | undefined) => boolean {
  const served = new Set(names)
  return header => {
    const value = (header ?? '').toLowerCase()
    if (served.has(value)) return true
    const name = value.replace(/:\d{1,5}$/, '')
    return served.has(name) || own.has(name)
  }
}

const NONE: ReadonlySet<string> = new Set()

/**
 * Only names that are served: a page on a rebound name (DNS rebinding) sends its own name as Host. An entry without
 * a port serves every port of its name, since a proxy may map ports and rebinding is about names.
 */
export const host: HandshakeControl = {
  id: 'handshake/host',
  compile(policy, { ownHosts }) {
    const section = policy.handshake.host
    if (section === null) return null
    const isServed = createHostCheck(section.names, ownHosts)
    return ({ request }) => {
      if (isServed(request.header('host'))) return PASS
      return deny('SALLY_HOST_NOT_SERVED', `Host is not one of: ${section.names.join(', ')}`)
    }
  },
}
