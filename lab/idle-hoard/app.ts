import { WebSocketServer } from 'ws'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

const SEATS = 8

/** A room with eight seats: so many sockets this small machine can hold. */
export function start(ground: Ground): void {
  const { server, signIn, user } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const turnedAway: string[] = []
  exhibit(ground, turnedAway)

  // FLAW: there is a limit for all, and none for one: a single user may take every seat, and sit there in silence.
  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    if (sockets.clients.size > SEATS) {
      turnedAway.push(account.name)
      socket.close(1013, 'The room is full')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'whoAmI') {
        socket.send(JSON.stringify({ type: 'you', name: account.name }))
      }
    })
  })
}
