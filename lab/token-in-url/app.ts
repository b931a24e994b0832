import { WebSocketServer } from 'ws'
import type { Account } from '../ground/accounts.ts'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket. A browser sends no Authorization header there, so the page puts its token into the address. */
export function start({ server, signIn, user, sessionId, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'strict' })

  const holders = new Map<string, Account>()
  route('GET /token', (request, response) => {
    const [id, account] = [sessionId(request), user(request)]
    if (id === undefined || account === undefined) {
      response.writeHead(401).end()
      return
    }
    holders.set(id, account)
    response.end(id)
  })

  // The access log, as every server and proxy keeps one; here operations look at it, and so can who finds the address.
  const accessLog: string[] = []
  server.on('upgrade', request => accessLog.push(`${request.method} ${request.url}`))
  route('GET /status', (_request, response) => response.end(accessLog.join('\n')))

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    // FLAW: the address is the key, for as long as the session lives, and addresses are written down everywhere.
    const account = holders.get(new URL(request.url!, 'wss://localhost').searchParams.get('token') ?? '')
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
