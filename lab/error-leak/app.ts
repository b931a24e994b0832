import { inspect } from 'node:util'
import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** Exchange rates, from a service that wants a key. */
export function start({ server, signIn, user, secret }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const service = `https://shop:${secret}@rates.localhost/v1/`
  const rates = new Map([['/v1/EUR', 1.08]])

  const sockets = new WebSocketServer({ server, path: '/ws' })

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
        // FLAW: what helps the developer is sent to the peer: stack, paths, and what the call was made with.
        socket.send(JSON.stringify({ type: 'failed', error: inspect(error) }))
      }
    })
  })
}
