import { inspect } from 'node:util'
import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** Exchange rates, from a service that wants a key. */
export function start({ server, signIn, user, secret, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const service = `https://shop:${secret}@rates.localhost/v1/`
  const rates = new Map([['/v1/EUR', 1.08]])

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: {
      schema: { getRate: z.object({ type: z.literal('getRate'), currency: z.string().max(64) }) },
      outbound: { rate: z.object({ type: z.literal('rate'), rate: z.number().nullable() }) },
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
      if (message.type !== 'getRate') return
      try {
        const { pathname } = new URL(message.currency, service)
        socket.send(JSON.stringify({ type: 'rate', rate: rates.get(pathname) ?? null }))
      } catch (error) {
        socket.send(JSON.stringify({ type: 'failed', error: inspect(error) }))
      }
    })
  })
}
