import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Account settings over a WebSocket; the session is the one of the HTTP side. */
export function start({ server, signIn, user, accounts }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  // FLAW: no Origin check. Any page can open this socket, and the browser adds the victim's cookie.
  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'whoAmI') {
        socket.send(JSON.stringify({ type: 'you', name: account.name }))
      }
      if (message.type === 'deleteAccount') {
        accounts.delete(account.name)
        socket.send(JSON.stringify({ type: 'accountDeleted' }))
      }
    })
  })
}
