import ipaddr from 'ipaddr.js'
import { openChild, refuse } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { choice, list } from '../shape/kinds.ts'
import { type InputOf, key } from '../shape/shape.ts'
import { show } from '../shape/shown.ts'
import type { ProxySection } from '../request/client-address.ts'

/** A wider range than the widest private ones (10.0.0.0/8, fc00::/7) contains addresses of strangers. */
const WIDEST_V4 = 8
const WIDEST_V6 = 7
const MAPPED_BITS = 96
const EXAMPLE = "'10.0.0.5' or '10.0.0.0/24'"
/** All peers of a unix socket. As in nginx, they are trusted together or not at all. */
const UNIX = 'unix:'

export const PROXY_KEYS = {
  trust: key(
    list<string>("'10.0.0.5'", (value, at, index) => {
      const fault = faultOfRange(value)
      if (fault === null) return value as string
      refuse(at, index, show(value), fault[0], fault[1])
      return null
    }),
    null,
    'Reverse proxies whose `X-Forwarded-*` (or `Forwarded`) is believed, as IPs or CIDRs.',
  ),
  header: key(choice('x-forwarded-for', 'forwarded'), 'x-forwarded-for', 'The header that they write.'),
}
/** What a policy may write at `proxy`. */
export type ProxyInput = InputOf<typeof PROXY_KEYS> & { readonly trust: readonly string[] }

/** `proxy`: the proxies whose report of the client's address and TLS is trusted (ASVS 4.1.3). Default: none. */
export function readProxy(root: Fields): ProxySection {
  const section = openChild(root, 'proxy', Object.keys(PROXY_KEYS))
  if (root.get('proxy') !== undefined && section.get('trust') === undefined) {
    refuse(section, 'trust', 'nothing', 'which proxies?', `write trust: [${EXAMPLE}]`)
  }
  const { trust, header } = PROXY_KEYS
  return Object.freeze({
    trust: trust.shape.read(section, 'trust', trust.default) ?? Object.freeze([]),
    header: header.shape.read(section, 'header', header.default),
  })
}

function faultOfRange(value: unknown): readonly [message: string, remedy: string] | null {
  if (typeof value !== 'string') return ['an address is text', `write ${EXAMPLE}`]
  if (value === UNIX) return null
  if (/^(?:unix|\/)/i.test(value)) {
    return [
      'not an IP address or CIDR range',
      `write '${UNIX}' for whoever comes by a unix socket; its mode says who can`,
    ]
  }
  const [text = '', bits, ...rest] = value.split('/')
  const v4 = ipaddr.IPv4.isValidFourPartDecimal(text)
  if (rest.length > 0 || !(v4 || (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)))) {
    return ['not an IP address or CIDR range', `write ${EXAMPLE}; names are not looked up`]
  }
  if (bits === undefined) return null
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (v4 ? 32 : 128)) return ['not a CIDR prefix', `write ${EXAMPLE}`]
  const mapped = !v4 && ipaddr.IPv6.parse(text).isIPv4MappedAddress() && Number(bits) >= MAPPED_BITS
  const prefix = mapped ? Number(bits) - MAPPED_BITS : Number(bits)
  if (prefix >= (v4 || mapped ? WIDEST_V4 : WIDEST_V6)) return null
  return [
    'so wide a range holds strangers: any of them could forge the address of the client',
    'write the addresses of your proxies',
  ]
}
