import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** An inbox. Whoever writes by the contact form may add a link, which the inbox shows as a preview, in a frame. */
export function start({ server, signIn, user, origin, session, use, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const links: string[] = []
  route('POST /contact', (request, response) => {
    request.on('data', (chunk: Buffer) => links.push(encodeURI(chunk.toString())))
    request.on('end', () => response.end())
  })

  route('GET /inbox', (request, response) => {
    response.setHeader('Content-Type', 'text/html').setHeader('Referrer-Policy', 'no-referrer-when-downgrade')
    response.end(`<h1>Inbox</h1>${links.map(link => `<iframe src="${link}"></iframe>`).join('')}`)
  })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { getPrivateMessages: z.object({ type: z.literal('getPrivateMessages') }) } },
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
      if (message.type === 'getPrivateMessages') {
        socket.send(JSON.stringify({ type: 'privateMessages', messages: account.privateMessages }))
      }
    })
  })
}
