import { type Denial, deny, PASS, type Verdict } from '../policy/verdict.ts'
import { readExtensions } from '../wire/extensions.ts'
import type { HandshakeControl } from './handshake-control.ts'
import type { HandshakeRequest } from './handshake-request.ts'
import { isCanonicalPath } from './request-path.ts'

/** Headers that a clean handshake bears at most once: a second line is a disagreement waiting between two parsers. */
const SINGLE = [
  'host',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'cookie',
  'authorization',
  'content-length',
] as const

/** 16 bytes in base64 (RFC 6455 §4.1): 22 characters, the last of which carries two bits, then `==`. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** A strict RFC 6455 §4.2.1 opening handshake, and nothing beside it: no body, no second request target form, no other version. */
export const request: HandshakeControl = {
  id: 'handshake/request',
  compile(policy) {
    const { headerBytes, headers, targetBytes } = policy.handshake.request
    return attempt => {
      const { request: asked } = attempt
      if (asked.target.length > targetBytes) {
        return deny(
          'SALLY_REQUEST_TOO_LARGE',
          `the request target is ${asked.target.length} bytes, over ${targetBytes}`,
        )
      }
      const { rawHeaders } = asked
      if (rawHeaders.length > headers * 2) {
        return deny('SALLY_REQUEST_TOO_LARGE', `${rawHeaders.length / 2} header lines, over ${headers}`)
      }
      let size = 0
      for (const part of rawHeaders) size += part.length + 2
      if (size > headerBytes) return deny('SALLY_REQUEST_TOO_LARGE', `${size} bytes of headers, over ${headerBytes}`)
      return checkForm(asked)
    }
  },
}

function checkForm(asked: HandshakeRequest): Verdict {
  if (asked.method !== 'GET' || asked.httpVersion !== '1.1') {
    return malformed(`${asked.method} over HTTP/${asked.httpVersion}, not GET over HTTP/1.1`)
  }
  // A fragment never leaves a browser; the next parser would cut the query there.
  if (/[^!-~]|#/.test(asked.target)) return malformed('the request target holds a fragment or unprintable characters')
  if (!isCanonicalPath(asked.path)) return malformed('the request target is not a plain, canonical path')
  for (const name of SINGLE) {
    if (asked.lines(name).length > 1) return malformed(`the ${name} header is repeated`)
  }
  if (asked.header('host') === undefined) return malformed('there is no Host header')
  if (asked.header('transfer-encoding') !== undefined || (asked.header('content-length') ?? '0') !== '0') {
    return malformed('a handshake has no body')
  }
  if (asked.header('expect') !== undefined) return malformed('a handshake expects nothing but its answer')
  if (asked.header('upgrade')?.toLowerCase() !== 'websocket') return malformed('Upgrade is not websocket')
  const fault = faultOfConnection(asked.header('connection') ?? '')
  if (fault !== null) return malformed(fault)
  const version = asked.header('sec-websocket-version')
  if (version !== '13')
    return deny('SALLY_REQUEST_VERSION', `Sec-WebSocket-Version is ${version === undefined ? 'absent' : 'not 13'}`)
  if (!KEY.test(asked.header('sec-websocket-key') ?? '')) {
    return malformed('Sec-WebSocket-Key is not 16 bytes in base64')
  }
  // RFC 6455 §4.2.1, §9.1: who gets what is not of the grammar fails the handshake, whether it speaks extensions or not.
  const extensions = asked.header('sec-websocket-extensions')
  if (extensions !== undefined && readExtensions(extensions) === null) {
    return malformed('Sec-WebSocket-Extensions is not a short list of extensions')
  }
  return PASS
}

/** A token of `Connection` names a header that the next proxy takes off: `Connection: Upgrade, Origin` asks it to disarm the check behind it. */
function faultOfConnection(value: string): string | null {
  const tokens = value.split(',').map(token => token.trim().toLowerCase())
  if (!tokens.includes('upgrade')) return 'Connection does not hold Upgrade'
  return tokens.every(token => token === 'upgrade' || token === 'keep-alive')
    ? null
    : 'Connection names more than Upgrade and keep-alive'
}

function malformed(detail: string): Denial {
  return deny('SALLY_REQUEST_MALFORMED', detail)
}
