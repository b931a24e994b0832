import { deny, PASS } from '../../model/verdict.ts'
import type { HandshakeControl } from './handshake-control.ts'
import { UNIX_PEER } from '../../request/remote-address.ts'

/**
 * wss only (seed checklist, OWASP 1, ASVS 4.4.1): TLS directly or by a trusted proxy's word. What does not leave this machine,
 * by loopback or a unix socket, is let through.
 */
export const transport: HandshakeControl = {
  id: 'handshake/transport',
  compile(policy) {
    if (policy.handshake.transport === null) return null
    const insecure = deny(
      'SALLY_TRANSPORT_INSECURE',
      policy.proxy.trust.length === 0
        ? 'plain ws:// from another machine; no proxy is trusted to speak of TLS'
        : 'plain ws://, and no trusted proxy says X-Forwarded-Proto: https',
    )
    const unnamed = deny(
      'SALLY_TRANSPORT_INSECURE',
      "a proxy forwards plain ws:// over a unix socket, and is not trusted to speak of TLS: proxy.trust does not hold 'unix:'",
    )
    const trustsUnix = policy.proxy.trust.includes(UNIX_PEER)
    return ({ request }) => {
      if (request.secure || request.loopback) return PASS
      return request.ip === UNIX_PEER && !trustsUnix ? unnamed : insecure
    }
  },
}
