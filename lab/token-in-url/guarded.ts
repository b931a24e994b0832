import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket. A browser sends no Authorization header there, so the page puts its token into the address. */
export function start({ server, signIn, user, origin, session, use, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'strict' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session, ticket: { carrier: 'query', parameter: 'token' } },
    message: { schema: { getPrivateMessages: z.object({ type: z.literal('getPrivateMessages') }) } },
  })
  use(guard)

  // The access log, as every server and proxy keeps one; here operations look at it, and so can who finds the address.
  const accessLog: string[] = []
  server.on('upgrade', request => accessLog.push(`${request.method} ${request.url}`))
  route('GET /status', (_request, response) => response.end(accessLog.join('\n')))

  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

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
