import { deny, PASS } from '../../model/verdict.ts'
import type { HandshakeControl } from './handshake-control.ts'

/**
 * A contradiction denies, absence proves nothing: Chromium sends no Sec-Fetch-* on a handshake. `Dest` is not compared,
 * since engines disagree on it (`empty`, `websocket`). `Site: cross-site` beside an allowed Origin is right where the
 * page and the socket stand on different sites, which the policy knows by its own host names.
 */
export const fetchMetadata: HandshakeControl = {
  id: 'handshake/fetch-metadata',
  compile(policy) {
    const section = policy.handshake['fetch-metadata']
    if (section === null) return null
    return ({ request, origin }) => {
      const mode = request.header('sec-fetch-mode')
      if (mode !== undefined && mode !== 'websocket') {
        return deny(
          'SALLY_FETCH_METADATA',
          'Sec-Fetch-Mode is not websocket: this request was not made by new WebSocket()',
        )
      }
      const site = request.header('sec-fetch-site')
      if (site === undefined) return PASS
      // Only browsers send the one, and every browser sends the other: something on the way took the Origin off.
      if (origin === null) return deny('SALLY_FETCH_METADATA', 'Sec-Fetch-Site without an Origin')
      if (site === 'none')
        return deny('SALLY_FETCH_METADATA', 'Sec-Fetch-Site is none, but no page-less request bears an Origin')
      const fits = sameName(origin, request.header('host') ?? '')
        ? site === 'same-origin' || site === 'same-site'
        : site === 'same-site' || site === 'cross-site'
      return fits
        ? PASS
        : deny('SALLY_FETCH_METADATA', `Sec-Fetch-Site: ${site.slice(0, 16)} contradicts the Origin beside this Host`)
    }
  },
}

/** Whether page and socket stand on one host name. Ports are left out: a proxy may map them, and both answers are then honest. */
function sameName(origin: string, host: string): boolean {
  return nameOf(origin.slice(origin.indexOf('://') + 3)) === nameOf(host)
}

function nameOf(authority: string): string {
  return authority.toLowerCase().replace(/:\d{1,5}$/, '')
}
