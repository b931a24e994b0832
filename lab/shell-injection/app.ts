import { exec } from 'node:child_process'
import { WebSocketServer } from 'ws'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'
import { workFolder } from '../ground/work-folder.ts'

/** Converts pictures with ImageMagick (`convert`, a stand-in, is beside this file). */
export function start(ground: Ground): void {
  const { server, signIn, user } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const cwd = workFolder({ 'cat.png': 'a cat' })
  const env = { PATH: `${import.meta.dirname}:/usr/bin:/bin` }
  exhibit(ground, cwd)

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'convert') {
        // FLAW: the file name becomes a part of the command, and the shell knows more than names.
        exec(`convert ${message.filename} output.png`, { cwd, env, timeout: 5000 }, error => {
          socket.send(JSON.stringify({ type: 'converted', ok: error === null }))
        })
      }
    })
  })
}
