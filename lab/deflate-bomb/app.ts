import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Notes that each user keeps; compressed on the way, as they are long. */
export function start({ server, signIn, user }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  // FLAW: what is small on the wire may be a thousand times as much once inflated; 100 MiB of it are taken.
  const sockets = new WebSocketServer({ server, path: '/ws', perMessageDeflate: true })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'keepNote') {
        account.privateMessages.push(message.text)
        socket.send(JSON.stringify({ type: 'kept', notes: account.privateMessages.length }))
      }
    })
  })
}
