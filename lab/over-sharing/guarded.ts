import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** Profiles: the name of a user, and how much was written. */
export function start({ server, signIn, user, accounts, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: {
      schema: {
        whoAmI: z.object({ type: z.literal('whoAmI') }),
        getProfile: z.object({ type: z.literal('getProfile'), name: z.string().max(64) }),
      },
      outbound: {
        you: z.strictObject({ type: z.literal('you'), name: z.string() }),
        profile: z.strictObject({ type: z.literal('profile'), name: z.string() }),
      },
    },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'whoAmI') {
        socket.send(JSON.stringify({ type: 'you', name: account.name }))
      }
      if (message.type === 'getProfile') {
        socket.send(JSON.stringify({ type: 'profile', ...accounts.get(message.name) }))
      }
    })
  })
}
