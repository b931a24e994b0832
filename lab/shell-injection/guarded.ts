import { exec } from 'node:child_process'
import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'
import { workFolder } from '../ground/work-folder.ts'

/** Converts pictures with ImageMagick (`convert`, a stand-in, is beside this file). */
export function start(ground: Ground): void {
  const { server, signIn, user, origin, session, use } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const cwd = workFolder({ 'cat.png': 'a cat' })
  const env = { PATH: `${import.meta.dirname}:/usr/bin:/bin` }
  exhibit(ground, cwd)

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: {
      schema: {
        convert: z.object({ type: z.literal('convert'), filename: z.string().regex(/^[a-z0-9-]{1,40}\.png$/) }),
      },
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
      if (message.type === 'convert') {
        exec(`convert ${message.filename} output.png`, { cwd, env, timeout: 5000 }, error => {
          socket.send(JSON.stringify({ type: 'converted', ok: error === null }))
        })
      }
    })
  })
}
