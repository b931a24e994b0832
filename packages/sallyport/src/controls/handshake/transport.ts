import { PASS } from '../../model/verdict.ts'
import { UNIX_PEER } from '../../request/remote-address.ts'
import { danger, OFF } from '../../shape/kinds.ts'
import { type InputOf, openSection } from '../../shape/shape.ts'
import { listInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'

/** `handshake.transport` of a parsed policy. It has no values. */
export type TransportSection = Readonly<Record<string, never>>

/** What of a policy says whose word about TLS is believed. */
export interface TrustPolicy {
  readonly proxy: { readonly trust: readonly string[] }
}

const KEYS = {
  dangerouslyAllowPlaintext: danger('Lets ws: connections in from other machines.'),
  dangerouslyOff: OFF,
}
export type TransportInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_TRANSPORT_INSECURE: {
    action: 'refuse',
    http: 426,
    level: 'warn',
    event: 'malicious_extraneous',
    requirements: ['S8', 'WS-1', 'ASVS-4.4.1', 'RFC-10.6'],
    means: 'the handshake did not come over TLS',
    remedy: 'Use wss://. Behind a TLS proxy, name it in `proxy.trust` and let it send X-Forwarded-Proto.',
    tells: {
      'no-proxy': 'plain ws:// from another machine; no proxy is trusted to speak of TLS',
      'not-forwarded': 'plain ws://, and no trusted proxy says X-Forwarded-Proto: https',
      'unix-socket':
        "a proxy forwards plain ws:// over a unix socket, and is not trusted to speak of TLS: proxy.trust does not hold 'unix:'",
    },
  },
} as const
const deny = denying(DENIALS)

/**
 * Requires wss (seed checklist, OWASP 1, ASVS 4.4.1): TLS on this socket, or by the report of a trusted proxy. Traffic
 * that stays on this machine, by loopback or a unix socket, passes.
 */
export const transport = defineControl({
  id: 'handshake/transport',
  denies: "the connection is not TLS (directly, or by a trusted proxy's word) and leaves this machine",
  default: 'on',
  meets: ['ASVS-4.1.3', 'WS-4'],
  keys: KEYS,
  denials: DENIALS,
  read(handshake): TransportSection | null {
    const section = openSection(handshake, { id: 'handshake/transport', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    return section.isWeakened('dangerouslyAllowPlaintext') || isOff ? null : Object.freeze({})
  },
  effective: (section, { proxy }: TrustPolicy) =>
    section === null
      ? off('plaintext is let in')
      : on(
          proxy.trust.length === 0
            ? 'TLS or this machine'
            : `TLS, this machine, or the word of ${listInWords(proxy.trust)}`,
        ),
  compile(policy: HandshakeOf<{ transport: TransportSection | null }> & TrustPolicy): HandshakeCheck | null {
    if (policy.handshake.transport === null) return null
    const { trust } = policy.proxy
    const insecure = deny('SALLY_TRANSPORT_INSECURE', { reason: trust.length === 0 ? 'no-proxy' : 'not-forwarded' })
    const unnamed = deny('SALLY_TRANSPORT_INSECURE', { reason: 'unix-socket' })
    const trustsUnix = trust.includes(UNIX_PEER)
    return ({ request }) => {
      if (request.secure || request.loopback) return PASS
      return request.ip === UNIX_PEER && !trustsUnix ? unnamed : insecure
    }
  },
})
