import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard, type Store } from 'sallyport'
import { createMemoryStore } from 'sallyport/store/memory'
import { createGateway } from '../../src/runtime/gateway.ts'
import { createRouteStores } from '../../src/runtime/route-store.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, route } from '../support/gateway-world.ts'

/** A store that counts who listens to it, as the CLI hands it to the routes. */
function countedStore(): { readonly storeOf: (route: string) => Store; readonly heard: { now: number; most: number } } {
  const memory = createMemoryStore()
  const heard = { now: 0, most: 0 }
  const listened = (off: () => void): (() => void) => {
    heard.most = Math.max(heard.most, ++heard.now)
    return () => {
      heard.now--
      off()
    }
  }
  const store: Store = {
    ...memory,
    onRevoked: listener => listened(memory.onRevoked(listener)),
    onState: () => listened(() => undefined),
  }
  return { storeOf: createRouteStores(store), heard }
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const at = (reload: number): ReturnType<typeof route> =>
  route({ id: 'changes', path: '/changes', message: { strikes: reload + 1 } })

test('200 reloads of a route leave the listeners of one guard on the store; a refused one leaves none', async () => {
  const backend = await createBackend()
  const { storeOf, heard } = countedStore()
  let guards = 0
  const gateway = createGateway({
    config: configOf([backend.target], [route(), at(0)]),
    guardOf(config) {
      guards++
      if (config.id === 'broken') throw new TypeError('no guard can be made')
      return createGuard({
        ...config.policy,
        handshake: { ...config.policy.handshake, session: () => ({ id: 's', user: 'u' }) },
        store: storeOf(config.id),
      } as Parameters<typeof createGuard>[0])
    },
    log: silent,
  })
  await gateway.listen()
  assert.equal(heard.now, 4)
  for (let reload = 1; reload <= 200; reload++) await gateway.replace(configOf([backend.target], [route(), at(reload)]))
  assert.equal(guards, 202)
  assert.deepEqual(heard, { now: 4, most: 6 })

  // A guard that cannot be made, after one that was; then an address that cannot be bound.
  await assert.rejects(gateway.replace(configOf([backend.target], [route(), at(201), route({ id: 'broken' })])))
  assert.equal(heard.now, 4)
  const port = gateway.ports.get('main')!
  const taken = { name: 'taken', address: { host: '127.0.0.1', port }, tls: null, proxyProtocol: null }
  await assert.rejects(
    gateway.replace(configOf([backend.target], [route(), at(202)], {}, { listeners: [taken] })),
    /EADDRINUSE/,
  )
  assert.equal(heard.now, 4)

  await gateway.replace(configOf([backend.target], [route()]))
  assert.equal(heard.now, 2)
  await gateway.close(0)
  assert.equal(heard.now, 0)
  await backend.close()
})
