// `ws` with a compiled Ajv schema and nothing else.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Ajv } from 'ajv'
import { WebSocketServer } from 'ws'
import { type Chat, MAX_TEXT, ready, reply } from './chat.ts'

const isChat = new Ajv({ removeAdditional: 'all' }).compile<Chat>({
  type: 'object',
  required: ['type', 'message', 'roomId'],
  additionalProperties: false,
  properties: {
    type: { const: 'chat' },
    message: { type: 'string', maxLength: MAX_TEXT },
    roomId: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' },
  },
})
const server = createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', socket => {
  socket.on('error', () => socket.terminate())
  socket.on('message', message => {
    const data: unknown = JSON.parse((message as Buffer).toString())
    socket.send(JSON.stringify(isChat(data) ? reply(data) : { error: 'Invalid message format' }))
  })
})
server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port))
