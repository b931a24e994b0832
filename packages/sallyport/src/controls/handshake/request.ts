import type { Policy } from '../../model/policy.ts'
import { type Denial, deny, PASS, type Verdict } from '../../model/verdict.ts'
import { readExtensions } from '../../wire/extensions.ts'
import type { HandshakeControl } from './handshake-control.ts'
import type { HandshakeRequest } from '../../model/handshake-request.ts'
import { isCanonicalPath } from '../../request/request-path.ts'

/** What is looked at. A clean handshake bears the first seven at most once: a second line is a disagreement waiting between two parsers. */
const LOOKED_AT = [
  'Host',
  'Upgrade',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Version',
  'Cookie',
  'Authorization',
  'Content-Length',
  'Connection',
  'Transfer-Encoding',
  'Expect',
  'Sec-WebSocket-Extensions',
] as const
const LAST_SINGLE = LOOKED_AT.indexOf('Content-Length')
const LOWER = LOOKED_AT.map(name => name.toLowerCase())
const EMPTY_FORM: readonly (string | undefined)[] = LOOKED_AT.map(() => undefined)
const NOT_LOOKED_AT = -1
/** The places of names in {@link LOOKED_AT}, as browsers and frameworks write them; others are put in lower case first. */
const PLACES: ReadonlyMap<string, number> = new Map([
  ...`Origin User-Agent Pragma Cache-Control Accept Accept-Encoding Accept-Language Sec-WebSocket-Protocol
  Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site`
    .split(/\s+/)
    .map(name => [name, NOT_LOOKED_AT] as const),
  ...LOOKED_AT.map((name, place) => [name, place] as const),
  ...LOWER.map((name, place) => [name, place] as const),
])
/** What nearly every browser offers. */
const USUAL_EXTENSIONS = 'permessage-deflate; client_max_window_bits'

/** 16 bytes in base64 (RFC 6455 §4.1): 22 characters, the last of which carries two bits, then `==`. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** A strict RFC 6455 §4.2.1 opening handshake, and nothing beside it: no body, no second request target form, no other version. */
export const request: HandshakeControl = {
  id: 'handshake/request',
  compile(policy) {
    const excess = createExcessCheck(policy)
    return ({ request: asked }) => excess(asked) ?? checkForm(asked)
  },
}

/** The bounds alone: a ticket request, which is no upgrade, bears the same headers as the handshake behind it. */
export const requestSize: HandshakeControl = {
  id: 'handshake/request',
  compile(policy) {
    const excess = createExcessCheck(policy)
    return ({ request: asked }) => excess(asked) ?? PASS
  },
}

function createExcessCheck(policy: Policy): (asked: HandshakeRequest) => Denial | null {
  const { headerBytes, headers, targetBytes } = policy.handshake.request
  return ({ target, rawHeaders }) => {
    if (target.length > targetBytes) {
      return deny('SALLY_REQUEST_TOO_LARGE', `the request target is ${target.length} bytes, over ${targetBytes}`)
    }
    if (rawHeaders.length > headers * 2) {
      return deny('SALLY_REQUEST_TOO_LARGE', `${rawHeaders.length / 2} header lines, over ${headers}`)
    }
    let size = 0
    for (const part of rawHeaders) size += part.length + 2
    return size > headerBytes ? deny('SALLY_REQUEST_TOO_LARGE', `${size} bytes of headers, over ${headerBytes}`) : null
  }
}

function checkForm(asked: HandshakeRequest): Verdict {
  if (asked.method !== 'GET' || asked.httpVersion !== '1.1') {
    return malformed(`${asked.method} over HTTP/${asked.httpVersion}, not GET over HTTP/1.1`)
  }
  // A fragment never leaves a browser; the next parser would cut the query there.
  if (/[^!-~]|#/.test(asked.target)) return malformed('the request target holds a fragment or unprintable characters')
  if (!isCanonicalPath(asked.path)) return malformed('the request target is not a plain, canonical path')
  const form = formOf(asked.rawHeaders)
  if (typeof form === 'string') return malformed(`the ${form} header is repeated`)
  const [host, upgrade, key, version, , , length, connection, transfer, expect, extensions] = form
  if (host === undefined) return malformed('there is no Host header')
  if (transfer !== undefined || (length ?? '0') !== '0') return malformed('a handshake has no body')
  if (expect !== undefined) return malformed('a handshake expects nothing but its answer')
  if (upgrade !== 'websocket' && upgrade?.toLowerCase() !== 'websocket') return malformed('Upgrade is not websocket')
  const fault = faultOfConnection(connection ?? '')
  if (fault !== null) return malformed(fault)
  if (version !== '13')
    return deny('SALLY_REQUEST_VERSION', `Sec-WebSocket-Version is ${version === undefined ? 'absent' : 'not 13'}`)
  if (!KEY.test(key ?? '')) return malformed('Sec-WebSocket-Key is not 16 bytes in base64')
  // RFC 6455 §4.2.1, §9.1: who gets what is not of the grammar fails the handshake, whether it speaks extensions or not.
  if (extensions !== undefined && extensions !== USUAL_EXTENSIONS && readExtensions(extensions) === null) {
    return malformed('Sec-WebSocket-Extensions is not a short list of extensions')
  }
  return PASS
}

/** The values in the order of {@link LOOKED_AT}, in one pass over the lines; the name of a header that must not stand twice. */
function formOf(rawHeaders: readonly string[]): readonly (string | undefined)[] | string {
  const form = EMPTY_FORM.slice()
  for (let line = 0; line < rawHeaders.length; line += 2) {
    const sent = rawHeaders[line]!
    const place = PLACES.get(sent) ?? PLACES.get(sent.toLowerCase()) ?? NOT_LOOKED_AT
    if (place === NOT_LOOKED_AT) continue
    const before = form[place]
    const value = rawHeaders[line + 1]!
    if (before === undefined) form[place] = value
    else if (place <= LAST_SINGLE) return LOWER[place]!
    else form[place] = `${before}, ${value}`
  }
  return form
}

/** A token of `Connection` names a header that the next proxy takes off: `Connection: Upgrade, Origin` asks it to disarm the check behind it. */
function faultOfConnection(value: string): string | null {
  if (value === 'Upgrade') return null
  const tokens = value.split(',').map(token => token.trim().toLowerCase())
  if (!tokens.includes('upgrade')) return 'Connection does not hold Upgrade'
  return tokens.every(token => token === 'upgrade' || token === 'keep-alive')
    ? null
    : 'Connection names more than Upgrade and keep-alive'
}

function malformed(detail: string): Denial {
  return deny('SALLY_REQUEST_MALFORMED', detail)
}
