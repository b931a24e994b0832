import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket; the session is the one of the HTTP side. */
export function start({ server, signIn, user, host }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  const sockets = new WebSocketServer({
    server,
    path: '/ws',
    // FLAW: the host alone is compared, so a page over plain HTTP passes; anybody on the way can write one.
    verifyClient: (request: { origin: string }) => new URL(request.origin).hostname === host,
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
