import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

/** Short messages to oneself. */
export function start(ground: Ground): void {
  const { server, signIn, user, origin, session, use } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { note: z.object({ type: z.literal('note') }) } },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })
  exhibit(ground, sockets)

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'note') {
        socket.send(JSON.stringify({ type: 'noted' }))
      }
    })
  })
}
