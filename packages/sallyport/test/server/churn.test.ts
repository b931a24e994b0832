import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { insideOf } from '../../src/guard/registry.ts'
import { createGuard } from '../../src/index.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createEngine } from '../../src/server/engine.ts'
import { installFirstBytesReader } from '../../src/node/first-bytes-reader.ts'
import { closePayload, FIN, OPCODE } from '../../src/wire/index.ts'
import { echo, frame, HANDSHAKE, open, type RawClient } from './engine-server.ts'

const COUNT = 30

describe('after a churn of connections nothing is left of them', () => {
  const ends: readonly (readonly [name: string, end: (client: RawClient) => void])[] = [
    ['each closed by its peer', ({ send }) => send(frame(FIN | OPCODE.close, closePayload(1000, '')))],
    ['each ended without a word', ({ socket }) => void socket.end()],
    ['each reset', ({ socket }) => void socket.resetAndDestroy()],
    ['each gone within a frame', ({ socket }) => void socket.end(Buffer.from('81fe', 'hex'))],
    ['each ended for what it sent', ({ send }) => send(Buffer.from('8f00', 'hex'))],
  ]
  for (const [name, end] of ends) {
    test(name, async t => {
      const store = createMemoryStore()
      const guard = createGuard({
        handshake: {
          origin: { allow: ['https://app.test'] },
          host: { allow: ['app.test'] },
          transport: { dangerouslyAllowPlaintext: true },
          session: (request: HandshakeRequest) => ({ id: request.target, user: request.target }),
          rate: {
            perIp: { attempts: 1e6, per: '1 s' },
            perUser: { attempts: 1e6, per: '1 s' },
            total: { attempts: 1e6, per: '1 s' },
          },
        },
        message: { schema: { dangerouslyAcceptAnyMessage: true } },
        events: { log: { info() {}, warn() {}, error() {} } as never },
        store,
      } as never)
      const { core } = insideOf(guard)
      const server = createServer()
      const firstBytes = installFirstBytesReader(server, 10_000)
      let closed = 0
      const all = Promise.withResolvers<void>()
      server.on(
        'upgrade',
        createEngine(core, {
          message: echo,
          closed() {
            if (++closed === COUNT) all.resolve()
          },
        }),
      )
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.after(() => {
        firstBytes.close()
        server.close()
        store.close()
      })
      const dial = () => connect((server.address() as AddressInfo).port, '127.0.0.1')
      const clients: RawClient[] = []
      for (let nth = 0; nth < COUNT; nth++) {
        const path = `/chat/${nth}`
        const session = { id: path, user: path }
        const { ticket } = core.context.tickets.issue({ session, origin: 'https://app.test', path })
        const line = `Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${ticket}\r\n\r\n`
        const client = await open({ dial }, `${HANDSHAKE.replace('/chat', path).slice(0, -2)}${line}`)
        client.socket.on('error', () => undefined)
        clients.push(client)
      }
      assert.equal(core.connections.size, COUNT)
      assert.equal(store.size().leases, 3 * COUNT)
      for (const client of clients) end(client)
      await all.promise
      assert.equal(core.connections.size, 0)
      assert.equal(store.size().leases, 0)
      assert.equal(store.size().once, 2 * COUNT, 'tickets presented and used, until they would have expired')
      for (const { socket } of clients) socket.destroy()
    })
  }
})
