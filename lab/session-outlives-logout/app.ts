import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket; the session is the one of the HTTP side. */
export function start({ server, signIn, user }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    // FLAW: the session is looked up once. What ends it over HTTP (sign-out, expiry, a new password) is never heard of here.
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
