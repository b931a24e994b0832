import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { Request, Response } from 'express'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import type { User } from './chat-store.ts'
import type { Door, DoorParts } from './door.ts'
import type { Peer } from './hub.ts'
import { listen, stopper } from './port.ts'

/**
 * VULNERABLE, on purpose: the handler that this project exists to replace. The session comes from the cookie alone,
 * nobody looks at Origin, nothing is validated, and a sign-out leaves the sockets open. Kept so that the attack is
 * seen to succeed; started by `--unguarded` only, on loopback only.
 */
export async function startUnguarded(parts: DoorParts): Promise<Door> {
  const { certificate, port, site, sessions, store, hub, notice } = parts
  const server = createServer(certificate, site)
  const stop = stopper(server)
  const wss = new WebSocketServer({ server, path: '/ws' })
  const open = new Map<WebSocket, User>()
  let closing = false

  wss.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const origin = request.headers.origin ?? '(none)'
    socket.on('error', () => socket.terminate())
    sessions(request as Request, new ServerResponse(request) as Response, () => {
      const userId = (request as Request).session?.userId
      const user = userId === undefined ? undefined : store.user(userId)
      if (user === undefined) {
        notice({ from: 'unguarded', origin, text: 'a handshake without a session cookie; the browser kept it back' })
        socket.close(1008, 'Unauthorized')
        return
      }
      notice({ from: 'unguarded', origin, text: `let in as ${user.name}` })
      const peer: Peer = { user, send: message => socket.send(JSON.stringify(message)) }
      open.set(socket, user)
      hub.join(peer)
      socket.on('message', (data: Buffer) => {
        // Attacker from evil.localhost can get here with the victim's session!
        try {
          const message = JSON.parse(data.toString()) as { readonly type: keyof typeof hub.handlers }
          const handle = hub.handlers[message.type] as (message: unknown, peer: Peer) => void | Promise<void>
          notice({ from: 'unguarded', origin, text: `${user.name} sends ${message.type}` })
          Promise.resolve(handle(message, peer)).catch(() => socket.terminate())
        } catch {
          socket.send(JSON.stringify({ type: 'error', error: 'Invalid message format' }))
        }
      })
      socket.on('close', () => {
        open.delete(socket)
        // The store, where the others are looked up who would hear of it, may be closed by now.
        if (!closing) hub.leave(peer)
      })
    })
  })
  await listen(server, port, 'port')

  return {
    signedOut: () => {},
    endUser(user) {
      for (const [socket, { id }] of open) if (id === user.id) socket.close(4401, 'Account deleted')
    },
    async close() {
      closing = true
      const left = Promise.all([...wss.clients].map(socket => once(socket, 'close')))
      for (const socket of wss.clients) socket.close(1012, 'Restarting')
      const cut = setTimeout(() => {
        for (const socket of wss.clients) socket.terminate()
      }, 1000)
      await left
      clearTimeout(cut)
      await stop()
      wss.close()
    },
  }
}
