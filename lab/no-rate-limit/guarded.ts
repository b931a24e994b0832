import { randomInt } from 'node:crypto'
import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** A safe for each user, behind a PIN that the app chose. */
export function start({ server, signIn, user, accounts, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const pins = new Map([...accounts.keys()].map(name => [name, String(randomInt(1000, 10_000))]))

  const openSafe = z.object({ type: z.literal('openSafe'), owner: z.string().max(64), pin: z.string().length(4) })
  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { openSafe }, rate: { messages: 100, per: '1 minute' } },
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
      if (message.type === 'openSafe') {
        const opens = pins.get(message.owner) === message.pin
        const contents = opens ? accounts.get(message.owner)?.privateMessages : null
        socket.send(JSON.stringify({ type: 'safe', contents }))
      }
    })
  })
}
