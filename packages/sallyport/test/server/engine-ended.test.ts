import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { HANDSHAKE, startEngine } from './engine-server.ts'

const turns = async (count = 10): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

const rows: readonly [name: string, parts: readonly string[], firstBytes: boolean][] = [
  ['read by the first-bytes reader', [HANDSHAKE], true],
  ['read by the HTTP server behind it, in two pieces', [HANDSHAKE.slice(0, 50), HANDSHAKE.slice(50)], true],
  ['read by the HTTP server alone', [HANDSHAKE], false],
]
for (const [name, parts, firstBytes] of rows) {
  for (const tls of [false, true]) {
    test(`a peer that ends while its verdict is awaited leaves no connection: ${name}${tls ? ', over TLS' : ''}`, async t => {
      const asked = Promise.withResolvers<void>()
      const verdict = Promise.withResolvers<boolean>()
      const authorize = (): Promise<boolean> => {
        asked.resolve()
        return verdict.promise
      }
      const engine = await startEngine(t, { firstBytes, tls, policy: { handshake: { authorize } } })
      const socket = engine.dial()
      socket.on('error', () => undefined).resume()
      await once(socket, tls ? 'secureConnect' : 'connect')
      socket.setNoDelay(true)
      for (const part of parts) {
        socket.write(part)
        await turns()
      }
      await asked.promise
      const served = engine.sockets.at(-1)!
      const gone = served.destroyed ? null : once(served, 'close')
      socket.end()
      await turns(50)
      verdict.resolve(true)
      // TLS lets nobody stay half open: there it may be gone before it could be opened.
      if (!served.destroyed) await gone
      await turns()
      assert.equal(engine.closed.length, engine.connections.length)
      if (!tls) assert.deepEqual(engine.closed, [1006])
    })
  }
}
