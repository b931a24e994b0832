import { list, may, must, object, text } from './shape.ts'
import * as checks from './text-checks.ts'
import { address } from './text-shapes.ts'

const fileName = text(checks.faultOfText, '/etc/sallyport/tls/cert.pem')

/** Where clients come in. */
export const listener = object({
  address: must(address, "write address: '0.0.0.0:8443'", 'Where clients come in: host:port, or unix:/path.'),
  tls: may(
    object({
      cert: must(
        fileName,
        'write cert: /etc/sallyport/tls/cert.pem',
        'PEM file of the certificate and its chain; read again at each reload.',
      ),
      key: must(fileName, 'write key: /etc/sallyport/tls/key.pem', 'PEM file of its private key.'),
    }),
    null,
    'Certificate and key. Left out: plain, for loopback or behind a proxy that ends TLS.',
  ),
  proxyProtocol: may(
    object({
      trust: must(
        list(text(checks.faultOfRange, "'10.0.0.0/24'"), 1, "'10.0.0.5'"),
        "write trust: ['10.0.0.5']",
        'Peers that must begin with a PROXY protocol header: IPs or CIDRs.',
      ),
    }),
    null,
    'PROXY protocol, version 1 or 2, from these peers.',
  ),
})
