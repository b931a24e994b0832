import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

const PAGE = readFileSync(join(import.meta.dirname, 'chat.html'))

/** A chat that keeps what was said. Announcements of the office may bear markup, in a field `html` of their own. */
export function start({ server, signIn, user, route, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const history = [{ type: 'said', from: 'office', html: 'The canteen opens at <b>noon</b>.' }]
  route('GET /chat', (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE)
  })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: {
      schema: {
        say: z.object({ type: z.literal('say'), text: z.string().max(1000) }),
        getPrivateMessages: z.object({ type: z.literal('getPrivateMessages') }),
      },
      unknownFields: 'refuse',
    },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    for (const said of history) socket.send(JSON.stringify(said))
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'say') {
        const said = { ...message, type: 'said', from: account.name }
        history.push(said)
        for (const client of sockets.clients) client.send(JSON.stringify(said))
      }
      if (message.type === 'getPrivateMessages') {
        socket.send(JSON.stringify({ type: 'privateMessages', messages: account.privateMessages }))
      }
    })
  })
}
