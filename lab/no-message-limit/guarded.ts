import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

const KEPT = 200

/** A chat that keeps its last 200 messages, for whoever comes later. */
export function start(ground: Ground): void {
  const { server, signIn, user, origin, session, use } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const history = ['ann: The meeting is in room 4.']
  exhibit(ground, history)

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: {
      schema: {
        say: z.object({ type: z.literal('say'), text: z.string().max(1000) }),
        getHistory: z.object({ type: z.literal('getHistory') }),
      },
      rate: { messages: 100, per: '1 minute', perUser: { messages: 150, per: '1 minute' } },
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
      if (message.type === 'say') {
        history.push(`${account.name}: ${message.text}`)
        if (history.length > KEPT) history.shift()
        socket.send(JSON.stringify({ type: 'said' }))
      }
      if (message.type === 'getHistory') {
        socket.send(JSON.stringify({ type: 'history', history }))
      }
    })
  })
}
