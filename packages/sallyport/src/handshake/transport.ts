import { deny, PASS } from '../policy/verdict.ts'
import type { HandshakeControl } from './handshake-control.ts'

/** wss only (seed checklist, OWASP 1, ASVS 4.4.1): TLS directly or by a trusted proxy's word; loopback is let through. */
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
    return ({ request }) => (request.secure || request.loopback ? PASS : insecure)
  },
}
