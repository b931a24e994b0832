import { PASS } from '../../model/verdict.ts'
import { refuse } from '../../shape/fields.ts'
import { list, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { show } from '../../shape/shown.ts'
import { listInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { ControlContext } from '../context.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'
import { ANY_ORIGIN, origin } from './origin.ts'

/** `handshake.host` of a parsed policy: the host names that are served. */
export interface HostSection {
  readonly names: readonly string[]
}

const EXAMPLE = "'api.company.com'"

const KEYS = {
  allow: key(
    list<string>(EXAMPLE, (value, at, index) => {
      const fault = faultOfName(value)
      if (fault === null) return (value as string).toLowerCase()
      refuse(at, index, show(value), fault[0], fault[1])
      return null
    }),
    null,
    'Further names, with or without a port, such as `api.company.com`. A name without a port serves every port.',
  ),
  dangerouslyOff: OFF,
}
export type HostInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_HOST_NOT_SERVED: {
    action: 'refuse',
    http: 421,
    level: 'warn',
    event: 'malicious_extraneous',
    requirements: ['WS-6'],
    means: 'the Host header is not a name that is served here (DNS rebinding)',
    remedy: 'Add the name to `handshake.host.allow` if it is yours.',
    tells: 'Host is not one of: {names}',
  },
} as const
const deny = denying(DENIALS)

/**
 * Compiles the check of a Host header against these names. An entry without a port accepts every port of its name.
 *
 * @param own further names without a port; names may be added later
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
 * Accepts only the host names that are served. After DNS rebinding, a page sends its own name as Host. An entry without
 * a port accepts every port of its name, because a proxy may map ports and rebinding concerns only names.
 */
export const host = defineControl({
  id: 'handshake/host',
  denies: 'Host is not one of the names served (DNS rebinding)',
  default: 'host names of the allowed origins, and those of `handshake.host.allow`',
  keys: KEYS,
  example: "host: { allow: ['api.company.com'] }",
  denials: DENIALS,
  read(handshake, earlier): HostSection | null {
    const section = openSection(handshake, { id: 'handshake/host', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const allow = section.value('allow')
    if (isOff) return null
    const origins = earlier.sectionOf(origin)?.allow ?? []
    const own = origins.filter(one => one.startsWith('http')).map(one => new URL(one).hostname)
    const names = Object.freeze([...new Set([...own, ...(allow ?? [])])])
    if (names.length > 0) return Object.freeze({ names })
    const { findings } = handshake
    if (findings.weakened.some(({ path }) => path === ANY_ORIGIN)) {
      findings.weakened.push({ path: ANY_ORIGIN, control: 'handshake/host' })
    } else if (findings.problems.length === 0) {
      section.refuse('allow', 'nothing', 'the origins name no host that could be served', `write allow: [${EXAMPLE}]`)
    }
    return null
  },
  effective: section => (section === null ? off('any Host') : on(listInWords(section.names))),
  compile(policy: HandshakeOf<{ host: HostSection | null }>, { ownHosts }: ControlContext): HandshakeCheck | null {
    const section = policy.handshake.host
    if (section === null) return null
    const isServed = createHostCheck(section.names, ownHosts)
    return ({ request }) => {
      if (isServed(request.header('host'))) return PASS
      return deny('SALLY_HOST_NOT_SERVED', { names: section.names.join(', ') })
    }
  },
})

function faultOfName(value: unknown): readonly [message: string, remedy: string] | null {
  const write = `write ${EXAMPLE} or 'api.company.com:8443'`
  if (typeof value !== 'string') return ['a host name is text', write]
  if (value.includes('*'))
    return [
      'a wildcard serves any name, also one that an attacker points here',
      'write each name as an entry of its own',
    ]
  if (value.includes('://')) return ['a host has no scheme', write]
  if ((value.match(/:/g) ?? []).length > 1 && !value.startsWith('['))
    return ['an IPv6 address stands in brackets', "write '[::1]' or '[::1]:8443'"]
  const [, name, port] = /^(\[[\da-f:.]+\]|[^:/?#@\\\s]+)(?::(\d{1,5}))?$/i.exec(value) ?? []
  if (name === undefined) return ['not a host name', write]
  if (name.endsWith('.')) return ['a trailing dot makes it another name', write]
  if (name.startsWith('.'))
    return ['a leading dot is no wildcard: each name is compared as a whole', 'write each name as an entry of its own']
  if (name.includes('..')) return ['two dots without a name between them', write]
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))
    return ['not a port', 'write one from 1 to 65535']
  const hostname = URL.parse(`https://${name}`)?.hostname
  if (hostname === undefined) return ['not a host name', write]
  return hostname === name.toLowerCase() ? null : ['not the form that clients send', `write '${hostname}'`]
}
