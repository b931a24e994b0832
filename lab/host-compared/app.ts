import type { IncomingMessage } from 'node:http'
import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** A developer's tool on this machine: it serves the files of the project to its own page. There is no sign-in. */
export function start({ server, secret }: Ground): void {
  const files: Readonly<Record<string, string>> = { '.env': `API_KEY=${secret}` }

  const sockets = new WebSocketServer({
    server,
    path: '/ws',
    // FLAW: both sides of the comparison come from the client. A rebound name is the same in both.
    verifyClient: ({ origin, req }: { origin: string; req: IncomingMessage }) =>
      new URL(origin).host === req.headers.host,
  })

  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'readFile') {
        socket.send(JSON.stringify({ type: 'file', text: files[message.name] ?? '' }))
      }
    })
  })
}
