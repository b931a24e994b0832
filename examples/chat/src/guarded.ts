import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'
import { expressSession } from 'sallyport/session'
import type { Door, DoorParts } from './door.ts'
import type { Peer } from './hub.ts'
import { INCOMING, OUTGOING } from './messages.ts'
import { busyOr, LOOPBACK } from './port.ts'

/** How long open connections have to leave at the end, in ms. */
const DRAIN_MS = 3000

/** The chat behind its two doors: what `npm start` runs. */
export async function startGuarded(parts: DoorParts): Promise<Door> {
  const { port, origin, certificate, site, sessions, store, hub } = parts
  const guard = createGuard({
    name: 'chat',
    handshake: {
      origin: { allow: [origin] },
      session: expressSession(sessions, request => {
        const user = store.user(Number(request.session?.['userId']))
        return user === undefined ? null : { user: String(user.id), account: user }
      }),
      ticket: { paths: ['/ws'] },
    },
    message: {
      rate: { messages: 100, per: '1 minute' },
      schema: INCOMING,
      outbound: OUTGOING,
    },
  })
  guard.on(parts.event)

  const peers = new Map<string, Peer>()
  type Handle<Message> = (message: Message, peer: Peer) => void | Promise<void>
  const as =
    <Message>(handle: Handle<Message>) =>
    async (message: Message, connection: { readonly id: string }): Promise<void> => {
      const peer = peers.get(connection.id)
      if (peer !== undefined) await handle(message, peer)
    }
  const { handlers } = hub
  const app = await serve({
    guard,
    port,
    host: LOOPBACK,
    tls: certificate,
    path: '/ws',
    request: site,
    open(connection) {
      const peer: Peer = { user: connection.session.account, send: message => void connection.send(message) }
      peers.set(connection.id, peer)
      hub.join(peer)
    },
    close(connection) {
      const peer = peers.get(connection.id)
      peers.delete(connection.id)
      if (peer !== undefined) hub.leave(peer)
    },
    handlers: {
      chat: as(handlers.chat),
      private: as(handlers.private),
      history: as(handlers.history),
      getPrivateMessages: as(handlers.getPrivateMessages),
      typing: as(handlers.typing),
      deleteAccount: as(handlers.deleteAccount),
    },
  }).catch((error: unknown) => {
    throw busyOr(error, port, 'port')
  })

  return {
    signedOut: session => guard.revoke({ session }),
    endUser: user => guard.revoke({ user: String(user.id) }),
    close: () => app.close({ withinMs: DRAIN_MS }),
  }
}
