import { openChild, readOff, refuse } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { ANY_ORIGIN } from './origin-section.ts'
import { readEach } from '../shape/scalars.ts'
import { show } from '../shape/shown.ts'
import type { Policy } from '../model/policy.ts'

const EXAMPLE = "'api.company.com'"

/** `handshake.host`: the names that are served: those of the allowed origins, and `allow`. */
export function readHost(handshake: Fields, origin: Policy['handshake']['origin']): Policy['handshake']['host'] {
  const section = openChild(handshake, 'host', ['allow', 'dangerouslyOff'])
  const off = readOff(section, 'handshake/host')
  const allow = readEach(section, 'allow', EXAMPLE, (value, at, index) => {
    const fault = faultOfName(value)
    if (fault === null) return (value as string).toLowerCase()
    refuse(at, index, show(value), fault[0], fault[1])
    return null
  })
  if (off) return null
  const own = (origin?.allow ?? []).filter(one => one.startsWith('http')).map(one => new URL(one).hostname)
  const names = Object.freeze([...new Set([...own, ...(allow ?? [])])])
  if (names.length > 0) return Object.freeze({ names })
  const { findings } = handshake
  if (findings.weakened.some(({ path }) => path === ANY_ORIGIN)) {
    findings.weakened.push({ path: ANY_ORIGIN, control: 'handshake/host' })
  } else if (findings.problems.length === 0) {
    refuse(section, 'allow', 'nothing', 'the origins name no host that could be served', `write allow: [${EXAMPLE}]`)
  }
  return null
}

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
