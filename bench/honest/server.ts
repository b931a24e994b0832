// One process of the site under test. `app` is serve() with the default policy, `auth` answers the gateway's forwardAuth,
// `backend` is an echo behind the gateway. Its parent asks for figures over IPC.
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from 'redis'
import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'
import { redis } from 'sallyport/store/redis'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Role, ServerSetup, ServerStats } from './site.ts'

const setup = JSON.parse(process.argv[2] ?? '{}') as ServerSetup
/** Session look-ups in each second since the start. */
const lookups: number[] = []
const denials: Record<string, number> = {}
const from = performance.now()

/** Who `sid` is: a look-up takes 20 ms, as one in a database across the network does. */
async function lookUp(sid: string | undefined): Promise<string | null> {
  const second = Math.floor((performance.now() - from) / 1000)
  lookups[second] = (lookups[second] ?? 0) + 1
  await wait(20)
  return sid !== undefined && /^(?:user|screen)-\d+$/.test(sid) ? sid.replace(/^screen-\d+$/, 'kiosk') : null
}

const roles: Record<Role, () => Promise<void>> = {
  async app() {
    const client = setup.redis === null ? null : createClient({ socket: { port: setup.redis } })
    client?.on('error', () => undefined)
    // A server that starts while Redis is away listens all the same: it refuses until Redis answers.
    void client?.connect().catch(() => undefined)
    const guard = createGuard({
      name: 'honest',
      ...(client === null ? {} : { store: redis(client, { secret: setup.secret ?? 'x'.repeat(32) }) }),
      handshake: {
        origin: { allow: [`http://127.0.0.1:${setup.port}`] },
        ...(setup.anonymous
          ? { session: { dangerouslyAnonymous: true } }
          : {
              session: async request => {
                const sid = request.cookie('sid')
                const user = await lookUp(sid)
                return user === null ? null : { id: sid ?? '', user }
              },
            }),
        ...(setup.secret === null ? {} : { ticket: { secret: setup.secret } }),
      },
      message: { schema: { chat: z.object({ text: z.string().max(100) }) } },
    })
    guard.on(event => {
      if (event.code !== undefined) denials[event.code] = (denials[event.code] ?? 0) + 1
    })
    const app = await serve({
      port: setup.port,
      host: '127.0.0.1',
      guard,
      handlers: { chat: (message, connection) => connection.send({ type: 'chat', text: message.text }) },
    })
    process.on('SIGTERM', () => void app.close({ withinMs: 1000 }).then(() => process.exit(0)))
  },

  async auth() {
    const server = createServer((request, response) => {
      const sid = /(?:^|; )sid=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
      void lookUp(sid).then(user => {
        if (user === null) response.writeHead(401).end()
        else response.writeHead(204, { 'X-User': user, 'X-Session': sid ?? '' }).end()
      })
    })
    server.listen(setup.port, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
  },

  async backend() {
    const sockets = new WebSocketServer({ port: setup.port, host: '127.0.0.1' })
    sockets.on('connection', socket => socket.on('message', (data: Buffer) => socket.send(data.toString())))
    await new Promise(resolve => sockets.once('listening', resolve))
  },
}

process.on('message', () =>
  process.send?.({ lookups: Array.from(lookups, count => count ?? 0), denials } satisfies ServerStats),
)
process.on('disconnect', () => process.exit(0))
await roles[setup.role]()
process.send?.({ listening: true })
