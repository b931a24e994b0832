import type { IncomingMessage } from 'node:http'
import { createAddressReader } from '../../src/request/client-address.ts'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { PeerRequest, fromNode as viewNode } from '../../src/request/peer-request.ts'

const readAddress = createAddressReader({ trust: [], header: 'x-forwarded-for' })

/** Views a real request of node:http. */
export const fromNode = (request: IncomingMessage): HandshakeRequest => viewNode(request, readAddress)

/** A handshake as a peer would send it; a header given as a list is repeated. */
export function handshake(
  target = '/ws',
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): HandshakeRequest {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap(line => [name, line]))
  return new PeerRequest('GET', '1.1', target, lines, () => ({ ip: '192.0.2.7', secure: true, loopback: false }), {
    headers,
  } as unknown as IncomingMessage)
}
