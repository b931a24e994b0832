// httpxy: an Origin check, then a blind tunnel.
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createProxyServer } from 'httpxy'
import { BACKEND_PORT, readyProxy } from './ready.ts'

const proxy = createProxyServer({ target: `http://127.0.0.1:${BACKEND_PORT}`, ws: true })
proxy.on('error', () => undefined)
const server = createServer()
server.on('upgrade', (request, socket, head) => {
  if (request.headers.origin === 'http://app.localhost') void proxy.ws(request, socket as Socket, {}, head)
  else socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
})
server.listen(0, '127.0.0.1', () => readyProxy((server.address() as AddressInfo).port))
