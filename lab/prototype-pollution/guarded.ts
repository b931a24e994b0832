import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

type Settings = Record<string, unknown>

/** Merges deeply, as a dozen packages do. */
function merge(into: Settings, from: Settings): void {
  for (const [key, value] of Object.entries(from)) {
    if (typeof value === 'object' && value !== null) merge((into[key] ??= {}) as Settings, value as Settings)
    else into[key] = value
  }
}

/** Settings of each user, which inherit from the defaults of all. */
export function start({ server, signIn, user, accounts, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const defaults: Settings = { theme: 'light', support: false }

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: {
      schema: {
        saveSettings: z.object({ type: z.literal('saveSettings'), settings: z.record(z.string(), z.unknown()) }),
        readForSupport: z.object({ type: z.literal('readForSupport') }),
      },
    },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    const settings: Settings = Object.create(defaults)
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'saveSettings') {
        // Users choose their look; `support` is given by the office alone.
        if (!Object.hasOwn(message.settings, 'support')) merge(settings, message.settings)
        socket.send(JSON.stringify({ type: 'settings', theme: settings['theme'] }))
      }
      if (message.type === 'readForSupport') {
        const messages = settings['support'] === true ? accounts.get('ann')?.privateMessages : []
        socket.send(JSON.stringify({ type: 'messages', messages }))
      }
    })
  })
}
