import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Notes that each user keeps. */
export function start({ server, signIn, user }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  // FLAW: ws takes 100 MiB at once unless told otherwise (maxPayload), and this app keeps what comes.
  const sockets = new WebSocketServer({ server, path: '/ws' })

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
