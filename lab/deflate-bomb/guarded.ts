import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** Notes that each user keeps; compressed on the way, as they are long. */
export function start({ server, signIn, user, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session, extensions: { deflate: true } },
    message: { schema: { keepNote: z.object({ type: z.literal('keepNote'), text: z.string() }) } },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

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
