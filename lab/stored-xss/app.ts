import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

const PAGE = readFileSync(join(import.meta.dirname, 'chat.html'))

/** A chat that keeps what was said. Announcements of the office may bear markup, in a field `html` of their own. */
export function start({ server, signIn, user, route }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const history = [{ type: 'said', from: 'office', html: 'The canteen opens at <b>noon</b>.' }]
  route('GET /chat', (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE)
  })

  const sockets = new WebSocketServer({ server, path: '/ws' })

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
        // FLAW: all that was sent is passed on, so users may set `html` as well, which the page believes.
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
