import { WebSocketServer } from 'ws'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

/** Short messages to oneself. */
export function start(ground: Ground): void {
  const { server, signIn, user } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  // FLAW: 64 KiB a message, but in as many pieces as one likes (0 is no bound; ws had none for ten years).
  const sockets = new WebSocketServer({ server, path: '/ws', maxPayload: 64 * 1024, maxFragments: 0 })
  exhibit(ground, sockets)

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'note') {
        socket.send(JSON.stringify({ type: 'noted' }))
      }
    })
  })
}
