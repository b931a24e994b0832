import type { HandshakeRequest } from '../../model/handshake-request.ts'
import { type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import { isCanonicalPath } from '../../request/request-path.ts'
import { count, size } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { sizeInWords } from '../../shape/words.ts'
import { readExtensions } from '../../wire/extensions.ts'
import { defineControl, denying, on } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'

/** `handshake.request` of a parsed policy: the bounds of a request. */
export interface RequestSection {
  readonly headerBytes: number
  readonly headers: number
  readonly targetBytes: number
}

const HEADER_BYTES = 16 * 1024
const HEADERS = 64
const TARGET_BYTES = 2 * 1024

const KEYS = {
  headerBytes: key(size, HEADER_BYTES, 'All header lines together.', {
    because:
      "Node's own bound on headers is 16 KiB, and a session in several cookies is 12 KiB: what HTTP serves may also connect",
  }),
  headers: key(count(), HEADERS, 'Header lines.', {
    because: 'browsers send about 15 header lines, proxies add some 10',
  }),
  targetBytes: key(size, TARGET_BYTES, 'Path and query.', {
    because: 'a path, and a ticket in the query, are below 1 KiB',
  }),
}
export type RequestInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_REQUEST_MALFORMED: {
    action: 'refuse',
    http: 400,
    level: 'warn',
    event: 'malicious_extraneous',
    requirements: ['WS-2', 'RFC-10.7'],
    means: 'the request is not a clean RFC 6455 opening handshake',
    remedy: 'Nothing to configure: the client, or a proxy on the way, sends a broken or hostile request.',
    tells: {
      'not-get': '{method} over HTTP/{version}, not GET over HTTP/1.1',
      characters: 'the request target holds a fragment or unprintable characters',
      path: 'the request target is not a plain, canonical path',
      repeated: 'the {header} header is repeated',
      'no-host': 'there is no Host header',
      body: 'a handshake has no body',
      expect: 'a handshake expects nothing but its answer',
      upgrade: 'Upgrade is not websocket',
      'connection-lacks': 'Connection does not hold Upgrade',
      'connection-more': 'Connection names more than Upgrade and keep-alive',
      key: 'Sec-WebSocket-Key is not 16 bytes in base64',
      extensions: 'Sec-WebSocket-Extensions is not a short list of extensions',
      early: 'bytes follow the request before it was answered, or it follows one that is not',
      tls: 'no TLS handshake: {error}',
      parser: 'the HTTP parser refused the request: {error}',
      'ticket-path': 'the ticket request does not name one well-formed path: POST …/ticket?path=/ws',
      parameter: 'the parameter {parameter} is repeated',
      prototype: 'the parameter {parameter} reaches into prototypes',
      jsonp: 'JSONP polling is not served',
      method: '{method} is neither GET nor POST',
      encoding: 'the body has a content encoding',
    },
  },
  SALLY_REQUEST_VERSION: {
    action: 'refuse',
    http: 426,
    level: 'info',
    event: 'malicious_extraneous',
    requirements: ['WS-2'],
    means: 'the WebSocket version is not 13',
    remedy: 'Only RFC 6455 (version 13) is spoken; update the client.',
    tells: { absent: 'Sec-WebSocket-Version is absent', other: 'Sec-WebSocket-Version is not 13' },
  },
  SALLY_REQUEST_TOO_LARGE: {
    action: 'refuse',
    http: 431,
    level: 'warn',
    event: 'malicious_extraneous',
    requirements: ['WS-2'],
    means: 'the request line or the headers exceed their bound',
    remedy: 'Raise `handshake.request` bounds if honest clients send so much.',
    tells: {
      target: 'the request target is {bytes} bytes, over {most}',
      lines: '{lines} header lines, over {most}',
      headers: '{bytes} bytes of headers, over {most}',
      'many-lines': 'more than {most} header lines',
      parser: 'the HTTP parser refused the request: {error}',
    },
  },
} as const
const deny = denying(DENIALS)

/**
 * The headers that are checked. A correct handshake has each of the first seven at most once. Two parsers could choose
 * different ones of two lines.
 */
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
/**
 * The indices of names in {@link LOOKED_AT}, spelled as browsers and frameworks do. Other spellings are converted to
 * lower case first.
 */
const PLACES: ReadonlyMap<string, number> = new Map([
  ...`Origin User-Agent Pragma Cache-Control Accept Accept-Encoding Accept-Language Sec-WebSocket-Protocol
  Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site`
    .split(/\s+/)
    .map(name => [name, NOT_LOOKED_AT] as const),
  ...LOOKED_AT.map((name, place) => [name, place] as const),
  ...LOWER.map((name, place) => [name, place] as const),
])
/** The offer of nearly every browser. */
const USUAL_EXTENSIONS = 'permessage-deflate; client_max_window_bits'

/** 16 bytes in base64 (RFC 6455 §4.1): 22 characters, of which the last carries two bits, then `==`. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
/** Most characters of a method that are shown to the operator. */
const MOST_SHOWN = 200

type RequestBounds = HandshakeOf<{ request: RequestSection }>

/**
 * Accepts only a strict opening handshake (RFC 6455 §4.2.1): no body, no other form of the target, no other version.
 */
export const request = defineControl({
  id: 'handshake/request',
  denies: 'it is not GET, not version 13, bad key, duplicate or oversized headers, version 8 or 0, Extended CONNECT',
  default: `on; headers ≤ ${sizeInWords(HEADER_BYTES)} in ${HEADERS} lines, target ≤ ${sizeInWords(TARGET_BYTES)}`,
  meets: ['RFC-10.8', 'RFC-10.1'],
  keys: KEYS,
  example: "request: { headerBytes: '24 KiB' }",
  denials: DENIALS,
  read(handshake): RequestSection {
    const section = openSection(handshake, { id: 'handshake/request', keys: KEYS })
    return Object.freeze({
      headerBytes: section.value('headerBytes'),
      headers: section.value('headers'),
      targetBytes: section.value('targetBytes'),
    })
  },
  effective: ({ headerBytes, headers, targetBytes }) =>
    on(`headers ≤ ${sizeInWords(headerBytes)} in ${headers} lines, target ≤ ${sizeInWords(targetBytes)}`),
  compile(policy: RequestBounds): HandshakeCheck {
    const excess = createExcessCheck(policy)
    return ({ request: asked }) => excess(asked) ?? checkForm(asked)
  },
})

/** Only the bounds. A ticket request is not an upgrade, but it has the same headers as the later handshake. */
export const requestSize = {
  id: 'handshake/request',
  compile(policy: RequestBounds): HandshakeCheck {
    const excess = createExcessCheck(policy)
    return ({ request: asked }) => excess(asked) ?? PASS
  },
} as const

function createExcessCheck(policy: RequestBounds): (asked: HandshakeRequest) => Denial | null {
  const { headerBytes, headers, targetBytes } = policy.handshake.request
  return ({ target, rawHeaders }) => {
    if (target.length > targetBytes) {
      return deny('SALLY_REQUEST_TOO_LARGE', { reason: 'target', bytes: target.length, most: targetBytes })
    }
    if (rawHeaders.length > headers * 2) {
      return deny('SALLY_REQUEST_TOO_LARGE', { reason: 'lines', lines: rawHeaders.length / 2, most: headers })
    }
    let bytes = 0
    for (const part of rawHeaders) bytes += part.length + 2
    if (bytes <= headerBytes) return null
    return deny('SALLY_REQUEST_TOO_LARGE', { reason: 'headers', bytes, most: headerBytes })
  }
}

function checkForm(asked: HandshakeRequest): Verdict {
  if (asked.method !== 'GET' || asked.httpVersion !== '1.1') {
    return deny('SALLY_REQUEST_MALFORMED', {
      reason: 'not-get',
      method: asked.method.slice(0, MOST_SHOWN),
      version: asked.httpVersion,
    })
  }
  // A browser never sends a fragment. Another parser would end the query there.
  if (/[^!-~]|#/.test(asked.target)) return deny('SALLY_REQUEST_MALFORMED', { reason: 'characters' })
  if (!isCanonicalPath(asked.path)) return deny('SALLY_REQUEST_MALFORMED', { reason: 'path' })
  const form = formOf(asked.rawHeaders)
  if (typeof form === 'string') return deny('SALLY_REQUEST_MALFORMED', { reason: 'repeated', header: form })
  const [host, upgrade, key, version, , , length, connection, transfer, expect, extensions] = form
  if (host === undefined) return deny('SALLY_REQUEST_MALFORMED', { reason: 'no-host' })
  if (transfer !== undefined || (length ?? '0') !== '0') return deny('SALLY_REQUEST_MALFORMED', { reason: 'body' })
  if (expect !== undefined) return deny('SALLY_REQUEST_MALFORMED', { reason: 'expect' })
  if (upgrade !== 'websocket' && upgrade?.toLowerCase() !== 'websocket')
    return deny('SALLY_REQUEST_MALFORMED', { reason: 'upgrade' })
  const fault = faultOfConnection(connection ?? '')
  if (fault !== null) return deny('SALLY_REQUEST_MALFORMED', { reason: fault })
  if (version !== '13') return deny('SALLY_REQUEST_VERSION', { reason: version === undefined ? 'absent' : 'other' })
  if (!KEY.test(key ?? '')) return deny('SALLY_REQUEST_MALFORMED', { reason: 'key' })
  // RFC 6455 §4.2.1, §9.1: a value that does not match the grammar fails the handshake, even if extensions are not
  // used.
  if (extensions !== undefined && extensions !== USUAL_EXTENSIONS && readExtensions(extensions) === null) {
    return deny('SALLY_REQUEST_MALFORMED', { reason: 'extensions' })
  }
  return PASS
}

/**
 * The values in the order of {@link LOOKED_AT}, from one pass over the lines. If a header that may appear once appears
 * twice, its name.
 */
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

/**
 * A token of `Connection` names a header that the next proxy removes. `Connection: Upgrade, Origin` would remove the
 * Origin before the check behind the proxy.
 */
function faultOfConnection(value: string): 'connection-lacks' | 'connection-more' | null {
  if (value === 'Upgrade') return null
  const tokens = value.split(',').map(token => token.trim().toLowerCase())
  if (!tokens.includes('upgrade')) return 'connection-lacks'
  return tokens.every(token => token === 'upgrade' || token === 'keep-alive') ? null : 'connection-more'
}
