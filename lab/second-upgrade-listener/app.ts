import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Private messages at `/ws`; the phone app of last year still uses `/v1/ws`. The session is the one of the HTTP side. */
export function start({ server, signIn, user, origin }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/ws') return
    if (request.headers.origin === origin) {
      sockets.handleUpgrade(request, socket, head, open => sockets.emit('connection', open, request))
    } else socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
  })
  // FLAW: a second listener, older than the check in the first. It leads to the same messages.
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/v1/ws') return
    sockets.handleUpgrade(request, socket, head, open => sockets.emit('connection', open, request))
  })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'getPrivateMessages') {
        socket.send(JSON.stringify({ type: 'privateMessages', messages: account.privateMessages }))
      }
    })
  })
}
