// Bun's own server: an echo, or with `--schema` the same message checked by a compiled TypeBox schema;
// with `--origin` handshakes of other origins are refused. Runs under Bun.
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type Chat, MAX_TEXT, ORIGIN, ready, reply } from './chat.ts'

interface BunSocket {
  send(message: string | Uint8Array): void
}
declare const Bun: {
  serve(options: {
    port: number
    hostname: string
    fetch(request: Request, server: { upgrade(request: Request): boolean }): Response | undefined
    websocket: { perMessageDeflate: boolean; message(socket: BunSocket, message: string | Uint8Array): void }
  }): { port: number }
}

const chat = Compile(
  Type.Object({
    type: Type.Literal('chat'),
    message: Type.String({ maxLength: MAX_TEXT }),
    roomId: Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' }),
  }),
)
const echo = (socket: BunSocket, message: string | Uint8Array): void => socket.send(message)
const checked = (socket: BunSocket, message: string | Uint8Array): void => {
  const data: unknown = JSON.parse(String(message))
  socket.send(JSON.stringify(chat.Check(data) ? reply(data as Chat) : { error: 'Invalid message format' }))
}
const checksOrigin = process.argv.includes('--origin')
const { port } = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request, server) {
    if (checksOrigin && request.headers.get('origin') !== ORIGIN) return new Response(null, { status: 403 })
    return server.upgrade(request) ? undefined : new Response(null, { status: 400 })
  },
  websocket: { perMessageDeflate: false, message: process.argv.includes('--schema') ? checked : echo },
})
ready(port)
