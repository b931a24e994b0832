import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket; the session is the one of the HTTP side. */
export function start({ server, signIn, user, origin }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  // The check itself is right: one origin, compared exactly, from where the other settings are kept.
  const allowedOrigins = async (): Promise<readonly string[]> => [origin]
  const sockets = new WebSocketServer({
    server,
    path: '/ws',
    // FLAW: with one argument, ws wants the answer itself. A promise of `false` is an object, and so it is true.
    // oxlint-disable-next-line typescript/no-misused-promises -- a linter that knows types does see it
    verifyClient: async (info: { origin: string }) => (await allowedOrigins()).includes(info.origin),
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
