// An upgrade listener of your own: guard.upgrade() refuses before `ws` sees the request, and knows its path.
import { createServer } from 'node:http'
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
const server = createServer((request, response) => {
  if (request.url?.startsWith('/.sallyport/ticket')) void guard.ticket(request, response)
  else response.writeHead(404).end()
})
const wss = new WebSocketServer({ noServer: true, ...guard.ws() })
wss.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })))
const door = guard.upgrade(wss, '/ws')
server.on('upgrade', (request, socket, head) => {
  if (!door(request, socket, head)) guard.refuse(socket, 404)
})
server.listen(port, 'localhost', () => console.log(`guarded: http://localhost:${port}`))
