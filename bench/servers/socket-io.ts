// Socket.IO, WebSocket transport alone, an echo of its `chat` event.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { ready } from './chat.ts'

const server = createServer()
const io = new Server(server, { transports: ['websocket'], pingInterval: 3_600_000 })
io.on('connection', socket => {
  socket.on('chat', (message: unknown) => socket.emit('chat', message))
})
server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port))
