import { readFile } from 'node:fs'
import { join } from 'node:path'
import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'
import { workFolder } from '../ground/work-folder.ts'

/** Help pages from a folder. */
export function start({ server, signIn, user, secret, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const folder = workFolder({ 'help/start.md': '# Start here', '.env': `SESSION_KEY=${secret}` })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: {
      schema: { getHelp: z.object({ type: z.literal('getHelp'), page: z.string().regex(/^[a-z0-9-]{1,40}\.md$/) }) },
    },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'getHelp') {
        readFile(join(folder, 'help', message.page), 'utf8', (error, text) => {
          socket.send(JSON.stringify({ type: 'help', text: error === null ? text : '' }))
        })
      }
    })
  })
}
