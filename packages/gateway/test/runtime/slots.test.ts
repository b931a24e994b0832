import assert from 'node:assert/strict'
import { once } from 'node:events'
import { beforeEach, describe, test } from 'node:test'
import type { Store } from 'sallyport'
import { createMemoryStore } from 'sallyport/store/memory'
import type { WebSocket } from 'ws'
import type { GatewayConfig } from '../../src/model/config.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, type GatewayWorld, route } from '../support/gateway-world.ts'

/** A store that does at once what it is asked, in order, and whose answers wait: as one behind a wire. */
class HeldStore {
  readonly #memory = createMemoryStore()
  /** Who holds a place under each key. */
  readonly #holders = new Map<string, Set<string>>()
  #waiting: (() => void)[] | null = null
  /** Whose answers wait. */
  #isHeld: (id: string) => boolean = () => false

  readonly store: Store = {
    ...this.#memory,
    lease: (key, id, cap, ttlMs) => {
      const answer = this.#memory.lease(key, id, cap, ttlMs) as boolean
      if (answer) this.#holders.set(key, this.#of(key).add(id))
      const waiting = this.#isHeld(id) ? this.#waiting : null
      if (waiting === null) return Promise.resolve(answer)
      return new Promise(resolve => waiting.push(() => resolve(answer)))
    },
    release: (key, id) => {
      this.#memory.release(key, id)
      this.#of(key).delete(id)
    },
  }

  #of(key: string): Set<string> {
    return this.#holders.get(key) ?? new Set()
  }

  /** How many places are taken: in all, from the one address, of the one user. Each key ends with the name of the policy. */
  get counts(): readonly number[] {
    return ['connections:all', 'connections:ip:127.0.0.1', 'connections:user:user of s1'].map(
      key => this.#of(`${key}\ntest`).size,
    )
  }

  hold(isHeld: (id: string) => boolean = () => true): void {
    this.#waiting = []
    this.#isHeld = isHeld
  }

  async letGo(): Promise<void> {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    // Each in its own turn, as answers come.
    for (const answer of waiting) {
      answer()
      await new Promise(setImmediate)
    }
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate)
  }
}

describe('a reload while the store has not answered', () => {
  let backend: Awaited<ReturnType<typeof createBackend>>
  let held: HeldStore
  let world: GatewayWorld
  let client: WebSocket
  let version = 0
  /** The same route, so that it counts as changed. */
  const config = (connections: object): GatewayConfig =>
    configOf(
      [backend.target],
      [route({ handshake: { connections }, message: { rate: { messages: 1000 + ++version, per: '1 minute' } } })],
    )
  const reload = (connections: object): Promise<unknown> => world.gateway.replace(config(connections))
  const cap = (most: number): object => ({ total: most, perIp: most, perUser: most })

  const begin = async (connections: object): Promise<void> => {
    backend = await createBackend()
    held = new HeldStore()
    world = await createWorld(config(connections), held.store)
    client = await world.connect()
  }
  beforeEach(() => begin(cap(1)))

  for (const reloads of [1, 2, 3]) {
    test(`${reloads} within one round trip: the connection stays, and is counted`, async () => {
      held.hold()
      for (let nth = 0; nth < reloads; nth++) await reload(cap(1))
      await held.letGo()
      assert.equal(client.readyState, client.OPEN)
      assert.deepEqual(held.counts, [1, 1, 1])
      assert.equal((await world.refusal())[0], 503)
      client.close()
      await once(client, 'close')
      await world.connect()
    })
    test(`${reloads} within one round trip, and the client leaves: nothing is held`, async () => {
      held.hold()
      for (let nth = 0; nth < reloads; nth++) await reload(cap(1))
      client.terminate()
      while ([...world.gateway.connections()].length > 0) await new Promise(setImmediate)
      await held.letGo()
      assert.deepEqual(held.counts, [0, 0, 0])
    })
    test(`${reloads} within one round trip, and the last counts nothing: nothing is held`, async () => {
      held.hold()
      for (let nth = 1; nth < reloads; nth++) await reload(cap(1))
      await reload({ dangerouslyOff: true })
      await held.letGo()
      assert.equal(client.readyState, client.OPEN)
      assert.deepEqual(held.counts, [0, 0, 0])
      await reload(cap(1))
      await held.letGo()
      assert.deepEqual(held.counts, [1, 1, 1])
    })
  }

  test('no place is free meanwhile, not for another connection of the user either', async () => {
    const id = [...world.gateway.connections()][0]!.id
    for (const connections of [
      { total: 9, perIp: 9, perUser: 1 },
      { total: 9, perIp: 1, perUser: 9 },
    ]) {
      await reload(connections)
      held.hold(one => one === id)
      await reload(connections)
      assert.equal((await world.refusal())[0], 429)
      await held.letGo()
      assert.equal(client.readyState, client.OPEN)
      assert.deepEqual(held.counts, [1, 1, 1])
    }
  })

  for (const [name, caps] of [
    ['a lower cap', [1]],
    ['a lower cap, and the same once more', [1, 1]],
    ['the same cap, then a lower one', [2, 1]],
  ] as const) {
    test(`${name}: as many stay as it lets`, async () => {
      await begin(cap(2))
      const other = await world.connect()
      const left = Promise.race([once(client, 'close'), once(other, 'close')])
      held.hold()
      for (const most of caps) await reload(cap(most))
      await held.letGo()
      await left
      assert.equal([client, other].filter(({ readyState }) => readyState === client.OPEN).length, 1)
      assert.deepEqual(held.counts, [1, 1, 1])
    })
  }

  test('a lower cap, and at once the old one again: both stay, and both are counted', async () => {
    await begin(cap(2))
    const other = await world.connect()
    held.hold()
    await reload(cap(1))
    await reload(cap(2))
    await held.letGo()
    assert.deepEqual([client.readyState, other.readyState], [client.OPEN, client.OPEN])
    assert.deepEqual(held.counts, [2, 2, 2])
  })
})
