import ipaddr from 'ipaddr.js'

/** The key that limits count an address by: IPv6 by its /64, since one customer is given as many addresses as it likes. */
export function addressKey(ip: string): string {
  return prefixOf(ip)?.(64) ?? ip
}

/**
 * The networks that an address is counted in, the smallest first: IPv6 by /64, /56 and /48, the sizes in which providers
 * give networks to one customer. An IPv4 address, and what is no address, is counted by itself alone.
 */
export function networkKeys(ip: string): readonly string[] {
  const prefix = prefixOf(ip)
  return prefix === null ? [ip] : [prefix(64), prefix(56), prefix(48)]
}

/** Makes the key of an IPv6 address for 48, 56 or 64 bits; null for anything else. */
function prefixOf(ip: string): ((bits: 48 | 56 | 64) => string) | null {
  if (!ip.includes(':') || !ipaddr.isValid(ip)) return null
  const address = ipaddr.process(ip)
  if (!(address instanceof ipaddr.IPv6)) return null
  const [first = 0, second = 0, third = 0, fourth = 0] = address.parts
  return bits => {
    const last = bits === 64 ? fourth : bits === 56 ? fourth & 0xff00 : 0
    return `${[first, second, third, last].map(part => part.toString(16)).join(':')}::/${bits}`
  }
}
