import ipaddr from 'ipaddr.js'
import type { Policy } from '../policy/types.ts'

/** Who is at the other end, as far as it can be believed. */
export interface ClientAddress {
  /** Canonical text; IPv4-mapped IPv6 addresses as IPv4. */
  readonly ip: string
  readonly secure: boolean
  readonly loopback: boolean
}

/** Reads the client's address from the socket and, only where a trusted proxy is the peer, from what it forwards. */
export type AddressReader = (
  remote: string,
  encrypted: boolean,
  header: (name: string) => string | undefined,
) => ClientAddress

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Compiles `policy.proxy`. Right to left, the first address that is not a trusted proxy is the client (ASVS 4.1.3). */
export function createAddressReader(proxy: Policy['proxy']): AddressReader {
  const ranges = proxy.trust.map(entry =>
    entry.includes('/') ? ipaddr.parseCIDR(entry) : ([ipaddr.process(entry), undefined] as const),
  )
  const trusted = (address: Address): boolean =>
    ranges.some(([range, bits]) => {
      if (range.kind() !== address.kind()) return false
      return bits === undefined
        ? range.toNormalizedString() === address.toNormalizedString()
        : (address as ipaddr.IPv4).match(range as ipaddr.IPv4, bits)
    })

  return (remote, encrypted, header) => {
    const peer = parseAddress(remote)
    if (peer === null) return { ip: 'unknown', secure: encrypted, loopback: false }
    const ip = peer.toString()
    const forwards = header('x-forwarded-for') ?? header('forwarded') ?? header('x-forwarded-proto')
    if (ranges.length === 0 || !trusted(peer)) {
      // A forwarding header from an unnamed peer on this machine is a proxy nobody vouched for: not a local client.
      return { ip, secure: encrypted, loopback: peer.range() === 'loopback' && forwards === undefined }
    }
    if (forwards === undefined) return { ip, secure: encrypted, loopback: peer.range() === 'loopback' }
    const hops = proxy.header === 'forwarded' ? forwardedHops(header('forwarded')) : xForwardedHops(header)
    let client = peer
    for (const hop of hops.addresses.toReversed()) {
      const address = parseAddress(hop)
      if (address === null) break
      client = address
      if (!trusted(address)) break
    }
    return { ip: client.toString(), secure: hops.proto === null ? encrypted : hops.proto === 'https', loopback: false }
  }
}

/** The key that limits count an address by: IPv6 by its /64, since one customer is given as many addresses as it likes. */
export function addressKey(ip: string): string {
  if (!ip.includes(':')) return ip
  const address = parseAddress(ip)
  if (address === null || address.kind() === 'ipv4') return ip
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map(part => part.toString(16))
    .join(':')}::/64`
}

function parseAddress(text: string): Address | null {
  const bare = text.startsWith('[')
    ? text.slice(1, text.indexOf(']'))
    : text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return ipaddr.isValid(bare) && !/^\d+$/.test(bare) ? ipaddr.process(bare) : null
}

interface Hops {
  readonly addresses: readonly string[]
  readonly proto: string | null
}

function xForwardedHops(header: (name: string) => string | undefined): Hops {
  const list = (name: string): string[] => (header(name) ?? '').split(',').map(part => part.trim())
  const proto = list('x-forwarded-proto').at(-1)?.toLowerCase() ?? ''
  return { addresses: list('x-forwarded-for').filter(Boolean), proto: proto === '' ? null : proto }
}

/** RFC 7239 §4; an element that cannot be read ends the walk, since what is left of it is anybody's word. */
function forwardedHops(value: string | undefined): Hops {
  const addresses: string[] = []
  let proto: string | null = null
  for (const element of (value ?? '').match(/(?:[^,"]|"(?:\\.|[^"\\])*")+/g) ?? []) {
    const pairs = element.split(';').map(pair => pair.trim().split('='))
    const of = (name: string): string | undefined =>
      pairs.find(([key]) => key?.toLowerCase() === name)?.[1]?.replace(/^"|"$/g, '')
    addresses.push(of('for') ?? 'unreadable')
    proto = of('proto')?.toLowerCase() ?? proto
  }
  return { addresses, proto }
}
