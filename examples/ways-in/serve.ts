// A server of its own: it answers the handshake, issues the tickets and calls a handler for each message type.
import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'
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
const app = await serve({
  port,
  guard,
  handlers: { chat: ({ message }, connection) => connection.send({ type: 'chat', message }) },
})
console.log(`guarded: ${app.url}`)
