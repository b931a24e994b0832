// A Fastify app: its ticket route is a handler, guard.upgrade() listens on its server.
import fastify from 'fastify'
import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'

const port = Number(process.env['PORT'] ?? 8080)
const sessions = new Map([['a-session-id', { id: 'a-session-id', user: 'ann' }]]) // yours

const guard = createGuard({
  handshake: {
    origin: { allow: [`http://localhost:${port}`] },
    session: request => sessions.get(request.cookie('sid') ?? ''),
  },
  message: { schema: { chat: z.object({ message: z.string().max(1000) }) } },
})
const app = fastify()
app.post('/.sallyport/ticket', guard.ticket)
const wss = new WebSocketServer({ noServer: true, ...guard.ws() })
wss.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })))
const door = guard.upgrade(wss, '/ws')
app.server.on('upgrade', (request, socket, head) => {
  if (!door(request, socket, head)) guard.refuse(socket, 404)
})
console.log(`guarded: ${await app.listen({ port, host: 'localhost' })}`)
