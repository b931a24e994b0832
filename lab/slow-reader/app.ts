import { WebSocketServer } from 'ws'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

const BOARD = '.'.repeat(512 * 1024)

/** A whiteboard that several draw on: after each stroke everybody gets the picture. */
export function start(ground: Ground): void {
  const { server, signIn, user } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const sockets = new WebSocketServer({ server, path: '/ws' })
  exhibit(ground, sockets)

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'draw') {
        const picture = JSON.stringify({ type: 'board', stroke: message.stroke, board: BOARD })
        // FLAW: send() never fails and never waits. What a peer does not read is kept for it, without end.
        for (const client of sockets.clients) client.send(picture)
      }
    })
  })
}
