import { WebSocketServer } from 'ws'
import type { Account } from '../ground/accounts.ts'
import type { Ground } from '../ground/ground.ts'

/** An inbox. Whoever writes by the contact form may add a link, which the inbox shows as a preview, in a frame. */
export function start({ server, signIn, user, sessionId, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const links: string[] = []
  route('POST /contact', (request, response) => {
    request.on('data', (chunk: Buffer) => links.push(encodeURI(chunk.toString())))
    request.on('end', () => response.end())
  })

  const holders = new Map<string, Account>()
  route('GET /inbox', (request, response) => {
    const [id, account] = [sessionId(request), user(request)]
    if (id !== undefined && account !== undefined) holders.set(id, account)
    // FLAW: the page's script finds its token in the page's address. So does every place that the page loads something from.
    if (!request.url!.includes('token=')) response.writeHead(302, { Location: `/inbox?token=${id}` })
    else response.setHeader('Content-Type', 'text/html').setHeader('Referrer-Policy', 'no-referrer-when-downgrade')
    response.end(`<h1>Inbox</h1>${links.map(link => `<iframe src="${link}"></iframe>`).join('')}
<script>new WebSocket('wss://' + location.host + '/ws' + location.search)</script>`)
  })

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
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
