import { isIP, type Server, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import { readProxyHeader } from './proxy-header.ts'

/** A peer must say who it speaks for within this time, in ms. */
const HEADER_MS = 5_000
const MAX_BYTES = 4096

/** Whether an address is one of these IPs or CIDRs. Throws a `TypeError` for an entry that is neither. */
export function createTrust(entries: readonly string[]): (address: string) => boolean {
  const ranges = entries.map(entry => {
    try {
      if (entry.includes('/')) return ipaddr.parseCIDR(entry)
      const address = ipaddr.process(entry)
      return [address, address.kind() === 'ipv4' ? 32 : 128] as const
    } catch {
      throw new TypeError(`${JSON.stringify(entry)} is neither an IP address nor a CIDR`)
    }
  })
  return text => {
    if (isIP(text) === 0) return false
    const address = ipaddr.process(text)
    return ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))
  }
}

/** What tells a connection from every other one that is open: a port alone is the same for the peers of two proxies. */
export function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

/**
 * Reads the PROXY header of every connection of `front`, makes the socket say the address it names, and hands the
 * socket on with the bytes behind it. A peer that is not trusted, or sends anything else first, is cut: the header
 * decides who is who. `handOn` is told `endsOf` it as they were: from then on the socket says whose it is.
 *
 * @returns cuts the peers that have not said yet who they speak for
 */
export function readProxied(
  front: Server,
  isTrusted: (address: string) => boolean,
  handOn: (socket: Socket, address: string | null, ends: string) => void,
  refused: (ip: string | undefined, detail: string) => void,
): () => void {
  const waiting = new Set<Socket>()
  front.on('connection', (socket: Socket) => {
    if (!isTrusted(socket.remoteAddress ?? '')) {
      refused(socket.remoteAddress, 'a peer that is not trusted')
      socket.destroy()
      return
    }
    let read: Buffer = Buffer.alloc(0)
    const cut = (): void => {
      socket.destroy()
    }
    const timer = setTimeout(() => {
      refused(socket.remoteAddress, 'nothing came in time')
      cut()
    }, HEADER_MS)
    const onData = (chunk: Buffer): void => {
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
      const header = readProxyHeader(read)
      if (header === 'more' && read.length < MAX_BYTES) return
      clearTimeout(timer)
      waiting.delete(socket)
      socket.off('data', onData)
      if (typeof header === 'string') {
        refused(socket.remoteAddress, 'something else came first')
        cut()
        return
      }
      socket.pause()
      socket.off('error', cut)
      const ends = endsOf(socket)
      if (header.address !== null) Object.defineProperty(socket, 'remoteAddress', { value: header.address })
      if (read.length > header.length) socket.unshift(read.subarray(header.length))
      handOn(socket, header.address, ends)
    }
    socket.on('error', cut)
    socket.once('close', () => {
      clearTimeout(timer)
      waiting.delete(socket)
    })
    socket.on('data', onData)
    waiting.add(socket)
  })
  return () => {
    for (const socket of waiting) socket.destroy()
  }
}
