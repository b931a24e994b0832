import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { UpstreamTls } from '../model/config.ts'
import type { Address } from './backend.ts'

/** Opens a connection to a backend. It is open at `secureConnect` with TLS, and at `connect` without. */
export function openSocket(address: Address, tls: UpstreamTls | null): Socket {
  if (!address.tls) return connectPlain(address.connect)
  const servername = tls?.serverName ?? address.hostname
  return connectTls({
    ...address.connect,
    // An IP address is not a valid SNI name (RFC 6066 §3). It is still verified against the certificate.
    ...(/^[\d.]+$|:/.test(servername) ? {} : { servername }),
    ...(tls?.ca == null ? {} : { ca: tls.ca }),
    rejectUnauthorized: tls?.dangerouslyAcceptAnyCertificate !== true,
    ALPNProtocols: ['http/1.1'],
  })
}
