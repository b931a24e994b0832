// An Express app: its ticket route is a handler, its server gets a guarded `ws`.
import { createServer } from 'node:http'
import express from 'express'
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
const app = express()
app.post('/.sallyport/ticket', guard.ticket)
const server = createServer(app)
const wss = new WebSocketServer({ server, ...guard.ws() })
wss.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })))
server.listen(port, 'localhost', () => console.log(`guarded: http://localhost:${port}`))
