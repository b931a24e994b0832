// The page of docs/guide/socket-io.md, as it stands there, with the real client against a guarded server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { createGuard, type SallyEvent } from 'sallyport'
import { guardSocketIo } from 'sallyport/adapters/socket-io'
import { Server } from 'socket.io'
import { io as client, type Socket } from 'socket.io-client'

const guide = readFileSync(join(import.meta.dirname, '../../../../docs/guide/socket-io.md'), 'utf8')
const [, page = ''] = /^```js\n([^]*?)^```$/m.exec(guide) ?? []

const httpServer = createServer((request, response) => void guard?.ticket(request, response))
const io = new Server(httpServer, { maxHttpBufferSize: 65_536 })
let origin = ''
let socket: Socket | null = null
let guard: ReturnType<typeof guarded> | null = null

function guarded(allowed: string) {
  return createGuard({
    handshake: {
      origin: { allow: [allowed] },
      session: () => ({ id: 'a-session', user: 'ann' }),
      ticket: { carrier: 'query' },
    },
    message: { schema: { chat: { type: 'object', properties: { message: { type: 'string' } } } } },
  })
}

before(async () => {
  httpServer.listen(0, 'localhost')
  await once(httpServer, 'listening')
  origin = `http://localhost:${(httpServer.address() as AddressInfo).port}`
  guard = guarded(origin)
  guardSocketIo(io, guard)
})
after(async () => {
  socket?.disconnect()
  await guard?.drain({ withinMs: 0 })
  await io.close()
})

test('the page connects, comes back with another ticket when it was cut, and goes to the login when signed out', async () => {
  const events: SallyEvent[] = []
  guard!.on(event => events.push(event))
  let left = false
  const signedOut = new Promise<string>(resolve => {
    runInNewContext(page, {
      io: (options: object) =>
        (socket = client(origin, { ...options, transports: ['websocket'], extraHeaders: { origin } })),
      fetch: (path: string, options: RequestInit) => fetch(origin + path, { ...options, headers: { origin } }),
      location: {
        assign(where: string) {
          left = true
          resolve(where)
        },
      },
      // A page that was left runs no more.
      setTimeout: (call: () => void) => left || setImmediate(call),
    })
  })
  for (let times = 1; times <= 2; times++) {
    const [connected] = (await once(io, 'connection')) as [{ conn: { close(): void } }]
    if (times === 1) connected.conn.close()
  }
  await guard!.revoke({ session: 'a-session' })
  assert.equal(await signedOut, '/login')
  assert.equal(events.filter(({ kind }) => kind === 'ticket').length, 2)
  assert.equal(
    events.some(({ code }) => code === 'SALLY_TICKET_USED'),
    false,
  )
})
