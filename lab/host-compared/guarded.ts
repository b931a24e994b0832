import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** A developer's tool on this machine: it serves the files of the project to its own page. There is no sign-in. */
export function start({ server, secret, origin, use }: Ground): void {
  const files: Readonly<Record<string, string>> = { '.env': `API_KEY=${secret}` }

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session: { dangerouslyAnonymous: true } },
    message: { schema: { readFile: z.object({ type: z.literal('readFile'), name: z.enum(['.env']) }) } },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'readFile') {
        socket.send(JSON.stringify({ type: 'file', text: files[message.name] ?? '' }))
      }
    })
  })
}
