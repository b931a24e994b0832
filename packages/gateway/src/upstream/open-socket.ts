import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { UpstreamTls } from '../model/config.ts'
import type { Address } from './backend.ts'

/** Opens a connection to a backend: `secureConnect` tells that it is open where TLS is spoken, else `connect`. */
export function openSocket(address: Address, tls: UpstreamTls | null): Socket {
  if (!address.tls) return connectPlain(address.connect)
  const servername = tls?.serverName ?? address.hostname
  return connectTls({
    ...address.connect,
    // An IP address is no SNI name (RFC 6066 §3); it is verified against the certificate all the same.
    ...(/^[\d.]+$|:/.test(servername) ? {} : { servername }),
    ...(tls?.ca == null ? {} : { ca: tls.ca }),
    rejectUnauthorized: tls?.dangerouslyAcceptAnyCertificate !== true,
    ALPNProtocols: ['http/1.1'],
  })
}
