import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket; the session is the one of the HTTP side. */
export function start({ server, signIn, user, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { getPrivateMessages: z.object({ type: z.literal('getPrivateMessages') }) } },
  })
  use(guard)
  const sockets = new WebSocketServer({ noServer: true, ...guard.ws() })
  server.on('upgrade', (request, socket, head) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', origin).pathname).replace(/\/+/g, '/')
    if (path === '/ws') sockets.handleUpgrade(request, socket, head, open => sockets.emit('connection', open, request))
    else guard.refuse(socket, 404)
  })

  sockets.on('connection', (socket, request) => {
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
