import { isLoopback } from '../model/loopback.ts'
import ipaddr from 'ipaddr.js'
import { isIPv4 } from 'node:net'
import { UNIX_PEER } from './remote-address.ts'

/** The peer at the other end, as far as its headers can be believed. */
export interface ClientAddress {
  /** Canonical text; IPv4-mapped IPv6 addresses as IPv4; `unix:` for a peer at a unix socket. */
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

/** How a dual-stack socket writes an IPv4 peer. */
const MAPPED = '::ffff:'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** `proxy` of a policy, after it was read: whose word about the client's address and TLS is believed. */
export interface ProxySection {
  readonly trust: readonly string[]
  readonly header: 'x-forwarded-for' | 'forwarded'
}

/** Compiles `policy.proxy`. Right to left, the first address that is not a trusted proxy is the client (ASVS 4.1.3). */
export function createAddressReader(proxy: ProxySection): AddressReader {
  const trustsUnix = proxy.trust.includes(UNIX_PEER)
  const ranges = rangesOf(proxy)
  const trusted = (address: Address): boolean => isWithin(ranges, address)

  return (remote, encrypted, header) => {
    if (ranges.length === 0) {
      // What nearly every server sees; nothing in it needs the parser.
      const v4 = remote.startsWith(MAPPED) ? remote.slice(MAPPED.length) : remote
      if (isIPv4(v4)) return { ip: v4, secure: encrypted, loopback: isLoopback(v4) && !isForwarded(header) }
    }
    const isUnix = remote === UNIX_PEER
    const peer = isUnix ? null : parseAddress(remote)
    if (peer === null && !isUnix) return { ip: 'unknown', secure: encrypted, loopback: false }
    const ip = peer?.toString() ?? UNIX_PEER
    if (!isForwarded(header)) return { ip, secure: encrypted, loopback: isUnix || isLoopback(ip) }
    // A forwarding header from an unnamed peer on this machine is a proxy nobody vouched for: not a local client.
    if (peer === null ? !trustsUnix : !trusted(peer)) return { ip, secure: encrypted, loopback: false }
    const hops = proxy.header === 'forwarded' ? forwardedHops(header('forwarded')) : xForwardedHops(header)
    let client = peer
    for (const hop of hops.addresses.toReversed()) {
      const address = parseAddress(hop)
      if (address === null) break
      client = address
      if (!trusted(address)) break
    }
    return {
      ip: client?.toString() ?? ip,
      // Some proxies name the scheme of the socket itself.
      secure: hops.proto === null ? encrypted : hops.proto === 'https' || hops.proto === 'wss',
      loopback: false,
    }
  }
}

/** Compiles whether the peer of a socket is a proxy that `policy.proxy` trusts. */
export function createProxyCheck(proxy: ProxySection): (remote: string) => boolean {
  const trustsUnix = proxy.trust.includes(UNIX_PEER)
  const ranges = rangesOf(proxy)
  return remote => {
    if (remote === UNIX_PEER) return trustsUnix
    if (ranges.length === 0) return false
    const address = parseAddress(remote)
    return address !== null && isWithin(ranges, address)
  }
}

type Range = readonly [address: Address, bits: number | undefined]

function rangesOf({ trust }: ProxySection): readonly Range[] {
  return trust
    .filter(entry => entry !== UNIX_PEER)
    .map(entry => (entry.includes('/') ? ipaddr.parseCIDR(entry) : ([ipaddr.process(entry), undefined] as const)))
}

function isWithin(ranges: readonly Range[], address: Address): boolean {
  return ranges.some(([range, bits]) => {
    if (range.kind() !== address.kind()) return false
    return bits === undefined
      ? range.toNormalizedString() === address.toNormalizedString()
      : (address as ipaddr.IPv4).match(range, bits)
  })
}

function isForwarded(header: (name: string) => string | undefined): boolean {
  return (header('x-forwarded-for') ?? header('forwarded') ?? header('x-forwarded-proto')) !== undefined
}

/** `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`, with or without a port behind the first and the last; nothing that must be guessed (octal, hexadecimal, short forms). */
function parseAddress(text: string): Address | null {
  const [, v4, bracketed] = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([\da-f:.]+)\])(?::\d{1,5})?$/i.exec(text) ?? []
  if (v4 !== undefined) return ipaddr.IPv4.isValidFourPartDecimal(v4) ? ipaddr.IPv4.parse(v4) : null
  const v6 = bracketed ?? text
  return v6.includes(':') && ipaddr.IPv6.isValid(v6) ? ipaddr.process(v6) : null
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

const PAIR =
  /^([!#$%&'*+\-.^_`|~\dA-Za-z]+)=(?:([!#$%&'*+\-.^_`|~\dA-Za-z:[\]]+)|"((?:\\.|[^"\\])*)")[ \t]*([;,]|$)[ \t]*/
const UNREADABLE: Hops = Object.freeze({ addresses: ['unreadable'], proto: null })

/**
 * RFC 7239 §4, read whole or not at all: a client that opens a quote must not be able to swallow what the proxy adds
 * behind it. TLS is the word of the last element, the proxy's own.
 */
function forwardedHops(value: string | undefined): Hops {
  const addresses: string[] = []
  let rest = (value ?? '').trim()
  let element = new Map<string, string>()
  let last = element
  while (rest !== '') {
    const [whole, name, token, quoted, end] = PAIR.exec(rest) ?? []
    const key = name?.toLowerCase()
    if (whole === undefined || key === undefined || element.has(key)) return UNREADABLE
    element.set(key, token ?? quoted!)
    rest = rest.slice(whole.length)
    if (end === ';') continue
    addresses.push(element.get('for') ?? 'unreadable')
    last = element
    element = new Map()
  }
  // What ends in `;` or `,` is not an element more.
  if (element.size > 0) return UNREADABLE
  return { addresses, proto: last.get('proto')?.toLowerCase() ?? null }
}
