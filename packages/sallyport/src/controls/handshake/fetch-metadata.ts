import { PASS } from '../../model/verdict.ts'
import { OFF } from '../../shape/kinds.ts'
import { type InputOf, openSection } from '../../shape/shape.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'
import { ANY_ORIGIN, origin as originControl } from './origin.ts'

/** `handshake.fetch-metadata` of a parsed policy. It has no values. */
export type FetchMetadataSection = Readonly<Record<string, never>>

const KEYS = { dangerouslyOff: OFF }
export type FetchMetadataInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_FETCH_METADATA: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'malicious_csrf',
    requirements: ['S11', 'WS-6'],
    means: 'Sec-Fetch-* contradicts the Origin or a WebSocket handshake',
    remedy: 'Nothing to configure: a browser sends consistent metadata.',
    tells: {
      mode: 'Sec-Fetch-Mode is not websocket: this request was not made by new WebSocket()',
      'no-origin': 'Sec-Fetch-Site without an Origin',
      none: 'Sec-Fetch-Site is none, but no page-less request carries an Origin',
      site: 'Sec-Fetch-Site: {site} contradicts the Origin beside this Host',
      'ticket-site': 'Sec-Fetch-Site of a ticket request is not same-origin',
    },
  },
} as const
const deny = denying(DENIALS)

/**
 * A contradiction is denied. A missing header is not: Chromium sends no Sec-Fetch-* on a handshake. `Dest` is not
 * compared, because engines send different values (`empty`, `websocket`). `Site: cross-site` with an allowed Origin is
 * correct if the page and the socket are on different sites. The policy knows that from its own host names.
 */
export const fetchMetadata = defineControl({
  id: 'handshake/fetch-metadata',
  denies: 'Sec-Fetch-* is present and contradicts the allowed origin; absent proves nothing (Chromium sends none)',
  default: 'on',
  meets: ['S15'],
  keys: KEYS,
  denials: DENIALS,
  read(handshake, earlier): FetchMetadataSection | null {
    const section = openSection(handshake, { id: 'handshake/fetch-metadata', keys: KEYS })
    if (section.isWeakened('dangerouslyOff')) return null
    if (earlier.sectionOf(originControl) !== null) return Object.freeze({})
    const { weakened } = handshake.findings
    if (weakened.some(({ path }) => path === ANY_ORIGIN)) {
      weakened.push({ path: ANY_ORIGIN, control: 'handshake/fetch-metadata' })
    }
    return null
  },
  effective: section => (section === null ? off('not looked at') : on('no contradiction')),
  compile(policy: HandshakeOf<{ 'fetch-metadata': FetchMetadataSection | null }>): HandshakeCheck | null {
    if (policy.handshake['fetch-metadata'] === null) return null
    return ({ request, origin }) => {
      const mode = request.header('sec-fetch-mode')
      if (mode !== undefined && mode !== 'websocket') return deny('SALLY_FETCH_METADATA', { reason: 'mode' })
      const site = request.header('sec-fetch-site')
      if (site === undefined) return PASS
      // Only browsers send Sec-Fetch-*, and every browser sends an Origin. So something on the way removed the Origin.
      if (origin === null) return deny('SALLY_FETCH_METADATA', { reason: 'no-origin' })
      if (site === 'none') return deny('SALLY_FETCH_METADATA', { reason: 'none' })
      const fits = sameName(origin, request.header('host') ?? '')
        ? site === 'same-origin' || site === 'same-site'
        : site === 'same-site' || site === 'cross-site'
      return fits ? PASS : deny('SALLY_FETCH_METADATA', { reason: 'site', site: site.slice(0, 16) })
    }
  },
})

/**
 * Whether page and socket have the same host name. Ports are ignored: a proxy may map them, and then both values are
 * honest.
 */
function sameName(origin: string, host: string): boolean {
  return nameOf(origin.slice(origin.indexOf('://') + 3)) === nameOf(host)
}

function nameOf(authority: string): string {
  return authority.toLowerCase().replace(/:\d{1,5}$/, '')
}
