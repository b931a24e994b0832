import { isIPv4, isIPv6 } from 'node:net'

/** What a PROXY protocol header says (HAProxy's proxy-protocol.txt, versions 1 and 2). */
export interface ProxyHeader {
  /** Address of the client; null for LOCAL and UNKNOWN, where the connection speaks for itself. */
  readonly address: string | null
  /** Bytes of the header. */
  readonly length: number
}

/** `more`: not whole yet; `broken`: it is no such header. */
export type ProxyReading = ProxyHeader | 'more' | 'broken'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
/** Greatest header of version 1, in bytes, CRLF included. */
const MAX_V1_BYTES = 107
/** Greatest body of version 2 that is read: addresses and TLVs. */
const MAX_V2_BODY_BYTES = 2048
const V1 = /^PROXY (?:UNKNOWN(?: [ -~]*)?|(TCP4|TCP6) ([\da-fA-F.:]{2,39}) ([\da-fA-F.:]{2,39}) (\d{1,5}) (\d{1,5}))$/

/** Reads the header at the start of a connection. A second reader would see the same: there is no lenient form. */
export function readProxyHeader(bytes: Buffer): ProxyReading {
  const compared = Math.min(bytes.length, SIGNATURE.length)
  if (bytes.subarray(0, compared).equals(SIGNATURE.subarray(0, compared))) {
    return bytes.length < 16 ? 'more' : readV2(bytes)
  }
  const prefix = 'PROXY '
  if (!prefix.startsWith(bytes.toString('latin1', 0, Math.min(bytes.length, prefix.length)))) return 'broken'
  return readV1(bytes)
}

function readV1(bytes: Buffer): ProxyReading {
  const end = bytes.indexOf('\r\n', 0, 'latin1')
  if (end === -1) return bytes.length >= MAX_V1_BYTES ? 'broken' : 'more'
  if (end + 2 > MAX_V1_BYTES) return 'broken'
  const match = V1.exec(bytes.toString('latin1', 0, end))
  if (match === null) return 'broken'
  const [, family, source = '', destination = '', port, ownPort] = match
  if (family === undefined) return { address: null, length: end + 2 }
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6
  if (!isAddress(source) || !isAddress(destination) || !isPort(port) || !isPort(ownPort)) return 'broken'
  return { address: source, length: end + 2 }
}

/** As the protocol writes one: no leading zero. */
function isPort(text: string | undefined): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text ?? '') && Number(text) <= 65_535
}

function readV2(bytes: Buffer): ProxyReading {
  const version = bytes[12]! >>> 4
  const command = bytes[12]! & 15
  const family = bytes[13]!
  const body = bytes.readUInt16BE(14)
  if (version !== 2 || command > 1 || body > MAX_V2_BODY_BYTES) return 'broken'
  const length = 16 + body
  if (bytes.length < length) return 'more'
  if (command === 0) return { address: null, length }
  if (family === 0x11) {
    if (body < 12) return 'broken'
    return { address: bytes.subarray(16, 20).join('.'), length }
  }
  if (family === 0x21) {
    if (body < 36) return 'broken'
    const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(16 + 2 * index).toString(16))
    return { address: groups.join(':'), length }
  }
  return { address: null, length }
}
