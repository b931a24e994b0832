// A Socket.IO server: guardSocketIo() judges each request of both transports, and each packet.
import { createServer } from 'node:http'
import { createGuard } from 'sallyport'
import { guardSocketIo } from 'sallyport/adapters/socket-io'
import { Server } from 'socket.io'
import { z } from 'zod'

const port = Number(process.env['PORT'] ?? 8080)
const sessions = new Map([['a-session-id', { id: 'a-session-id', user: 'ann' }]]) // yours

const guard = createGuard({
  handshake: {
    origin: { allow: [`http://localhost:${port}`] },
    session: request => sessions.get(request.cookie('sid') ?? ''),
    ticket: { carrier: 'query' }, // the only carrier that works with both transports
  },
  message: { schema: { chat: z.object({ message: z.string().max(1000) }) } },
})
const server = createServer((request, response) => {
  if (request.url?.startsWith('/.sallyport/ticket')) void guard.ticket(request, response)
  else response.writeHead(404).end()
})
const io = new Server(server, { maxHttpBufferSize: 65_536 })
guardSocketIo(io, guard)
io.on('connection', socket => socket.on('chat', (chat: object) => socket.emit('chat', chat)))
server.listen(port, 'localhost', () => console.log(`guarded: http://localhost:${port}`))
