import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket. The page fetches a CSRF token and offers it as a subprotocol: `chat.v1, csrf.<token>`. */
export function start({ server, signIn, user, origin, session, use, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'strict' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { getPrivateMessages: z.object({ type: z.literal('getPrivateMessages') }) } },
  })
  use(guard)

  // The monitoring page shows the headers of the last handshakes. It leaves out the cookie, as it should.
  const trace: string[] = []
  server.on('upgrade', ({ headers: { cookie: _hidden, ...shown } }) => trace.push(JSON.stringify(shown)))
  route('GET /trace', (_request, response) => response.end(trace.join('\n')))

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
