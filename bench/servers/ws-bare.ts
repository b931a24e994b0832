// `ws` with nothing around it: an echo. With `--tls` over TLS.
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { CERTIFICATE, KEY } from '../../test/support/certificates.ts'
import { ready } from './chat.ts'

const server = process.argv.includes('--tls') ? createTlsServer({ key: KEY, cert: CERTIFICATE }) : createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', socket => {
  socket.on('error', () => socket.terminate())
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port))
