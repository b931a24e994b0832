import { createGuard } from 'sallyport'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

/** Payments over a WebSocket. Each order has an id and a time; the payee is told when it is paid. */
export function start(ground: Ground): void {
  const { server, signIn, user, route, origin, session, use } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  /** Ids of the orders that were paid. */
  const paid: string[] = []
  exhibit(ground, paid)

  // For support: what came over the sockets, as a HAR file holds it, with cookies. Anybody may read it.
  const recording: object[] = []
  route('GET /recording', (_request, response) => response.end(JSON.stringify(recording)))

  const pay = z.object({
    type: z.literal('pay'),
    to: z.string().max(64),
    amount: z.int().min(1).max(100),
    order: z.uuid(),
    sentAt: z.number(),
  })
  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { pay }, replay: { nonce: 'order', time: 'sentAt' } },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })
  const payees = new Map<string, WebSocket>()
  const inbox = new Map<string, string[]>()

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    payees.set(account.name, socket)
    for (const receipt of inbox.get(account.name) ?? []) socket.send(receipt)
    socket.on('message', (data: Buffer) => {
      recording.push({ cookie: request.headers.cookie, text: data.toString() })
      const message = JSON.parse(data.toString())
      if (message.type === 'pay') {
        paid.push(message.order)
        socket.send(JSON.stringify({ type: 'paid', order: message.order }))
        const receipt = JSON.stringify({ type: 'received', amount: message.amount })
        inbox.set(message.to, [...(inbox.get(message.to) ?? []), receipt])
        payees.get(message.to)?.send(receipt)
      }
    })
  })
}
