import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

const BOARD = '.'.repeat(512 * 1024)

/** A whiteboard that several draw on: after each stroke everybody gets the picture. */
export function start(ground: Ground): void {
  const { server, signIn, user, origin, session, use } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { draw: z.object({ type: z.literal('draw'), stroke: z.int() }) } },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })
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
        for (const client of sockets.clients) client.send(picture)
      }
    })
  })
}
