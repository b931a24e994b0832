import { readFile } from 'node:fs'
import { join } from 'node:path'
import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'
import { workFolder } from '../ground/work-folder.ts'

/** Help pages from a folder. */
export function start({ server, signIn, user, secret }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const folder = workFolder({ 'help/start.md': '# Start here', '.env': `SESSION_KEY=${secret}` })

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'getHelp') {
        // FLAW: join() resolves `..`, so a page can be any file that the server may read.
        readFile(join(folder, 'help', message.page), 'utf8', (error, text) => {
          socket.send(JSON.stringify({ type: 'help', text: error === null ? text : '' }))
        })
      }
    })
  })
}
