import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket; the session is the one of the HTTP side. */
export function start({ server, signIn, user, origin }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  // FLAW: "no origin, so no browser" lets in every sandboxed frame: browsers call it "null".
  const isNative = (claimed: string | undefined): boolean => claimed === undefined || claimed === 'null'
  const sockets = new WebSocketServer({
    server,
    path: '/ws',
    verifyClient: (request: { origin: string }) => isNative(request.origin) || request.origin === origin,
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
