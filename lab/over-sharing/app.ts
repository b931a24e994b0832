import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Profiles: the name of a user, and how much was written. */
export function start({ server, signIn, user, accounts }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

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
      if (message.type === 'getProfile') {
        // FLAW: the whole row. The page shows the name; the socket tells passwordHash and privateMessages too.
        socket.send(JSON.stringify({ type: 'profile', ...accounts.get(message.name) }))
      }
    })
  })
}
