import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

// FLAW: the pattern has no anchors, so it matches in the middle of any other name.
const ALLOWED = /shop\.localhost/

/** Private messages over a WebSocket; the session is the one of the HTTP side. */
export function start({ server, signIn, user }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  const sockets = new WebSocketServer({
    server,
    path: '/ws',
    verifyClient: ({ origin }: { origin: string }) => ALLOWED.test(origin),
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
