import { randomBytes } from 'node:crypto'
import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Private messages, also as a widget on the pages of partners: any origin may connect. A ticket keeps strangers out. */
export function start({ server, signIn, user, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'none' })

  const tickets = new Set<string>()
  route('POST /csrf', (request, response) => {
    const ticket = randomBytes(32).toString('base64url')
    if (user(request) !== undefined) tickets.add(ticket)
    setTimeout(() => tickets.delete(ticket), 30_000).unref()
    response.end(ticket)
  })

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    const ticket = /csrf\.([\w-]+)/.exec(request.headers['sec-websocket-protocol'] ?? '')?.[1] ?? ''
    // FLAW: it is one of ours, unused and fresh; whose it is nobody asks. The attacker has tickets too: his own.
    if (account === undefined || !tickets.delete(ticket)) {
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
