import { randomBytes } from 'node:crypto'
import { WebSocketServer } from 'ws'
import type { Account } from '../ground/accounts.ts'
import type { Ground } from '../ground/ground.ts'

/** Private messages over a WebSocket. The page fetches a CSRF token and offers it as a subprotocol: `chat.v1, csrf.<token>`. */
export function start({ server, signIn, user, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'strict' })

  const tokens = new Map<string, Account>()
  route('POST /csrf', (request, response) => {
    const account = user(request)
    const token = randomBytes(32).toString('base64url')
    if (account !== undefined) tokens.set(token, account)
    response.end(token)
  })

  // The monitoring page shows the headers of the last handshakes. It leaves out the cookie, as it should.
  const trace: string[] = []
  server.on('upgrade', ({ headers: { cookie: _hidden, ...shown } }) => trace.push(JSON.stringify(shown)))
  route('GET /trace', (_request, response) => response.end(trace.join('\n')))

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    const token = /csrf\.([\w-]+)/.exec(request.headers['sec-websocket-protocol'] ?? '')?.[1]
    // FLAW: it is random and long, and it is good for ever: it does not expire, and nobody strikes it off.
    const account = tokens.get(token ?? '')
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
