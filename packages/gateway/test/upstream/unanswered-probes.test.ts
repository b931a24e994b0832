import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { failure } from '../../src/upstream/failure.ts'
import type { LifeAnswer } from '../../src/upstream/life-probe.ts'
import type { Pool } from '../../src/upstream/pool.ts'
import { configOf, createWorld, type GatewayWorld, route } from '../support/gateway-world.ts'
import { closing } from '../support/leftovers.ts'
import { DEAD, picked, poolOf, settled } from '../support/pool-bench.ts'

const UNREACHABLE = failure('GATEWAY_UPSTREAM_UNREACHABLE', 'ECONNREFUSED')
const broken = failure('GATEWAY_UPSTREAM_BROKEN', 'the backend closed the connection before it answered')
const SILENT = 'the backend answers requests, but no probe: it is passed over only where it takes no connection'

describe('a probe that a healthy backend does not answer', () => {
  test('a backend that answers requests but no probe: passed over once, and then by no visitor any more', async () => {
    const { pool, found, clock, told } = poolOf({ ejectMs: 500 }, 'ab')
    const [target] = pool.targets
    found['a'] = DEAD
    pool.report(target!, broken)
    await settled()
    assert.equal(picked(pool, 2), 'bb')
    clock.now += 1000
    pool.report(target!, null)
    await settled()
    assert.equal(told.at(-1), SILENT)
    for (let round = 0; round < 5; round++) {
      clock.now += 1000
      pool.report(target!, broken)
      await settled()
      assert.equal(picked(pool, 2).includes('a'), true)
    }
    pool.report(target!, UNREACHABLE)
    assert.equal(picked(pool, 2), 'bb')
    pool.stop()
  })

  test('a backend that hung, and answers again, is still found when it hangs again', async () => {
    const { pool, found, clock, told } = poolOf({ ejectMs: 500 }, 'ab')
    const [target] = pool.targets
    for (let round = 0; round < 3; round++) {
      clock.now += 1000
      found['a'] = DEAD
      pool.report(target!, broken)
      await settled()
      assert.equal(picked(pool, 2), 'bb')
      found['a'] = null
      pool.report(target!, null)
      await settled()
      assert.equal(picked(pool, 2).includes('a'), true)
    }
    assert.equal(told.includes(SILENT), false)
    pool.stop()
  })

  test('a backend that answered no probe is judged by it again once it has answered one', async () => {
    const { pool, found, clock } = poolOf({ ejectMs: 500 }, 'ab')
    const [target] = pool.targets
    const next = async (life: LifeAnswer, report: Parameters<Pool['report']>[1]): Promise<void> => {
      clock.now += 1000
      found['a'] = life
      pool.report(target!, report)
      await settled()
    }
    await next(DEAD, broken)
    await next(DEAD, null)
    await next(null, broken)
    await next(DEAD, broken)
    assert.equal(picked(pool, 2), 'bb')
    pool.stop()
  })

  test('a probe that cannot be made proves nothing about probes', async () => {
    const { pool, found, clock, told } = poolOf({ ejectMs: 500 }, 'ab')
    found['a'] = DEAD
    pool.report(pool.targets[0]!, broken)
    await settled()
    clock.now += 1000
    found['a'] = { reason: 'EMFILE', own: true }
    pool.report(pool.targets[0]!, null)
    await settled()
    assert.equal(told.includes(SILENT), false)
    pool.stop()
  })
})

/** As the README of `ws` shows it: no pages, and what is not served is closed. No probe gets an answer. */
async function createBareApp(): Promise<string> {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (asked: IncomingMessage, socket: Socket, head: Buffer) => {
    if (asked.url === '/ws/room') sockets.handleUpgrade(asked, socket, head, () => undefined)
    else socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    for (const client of sockets.clients) client.terminate()
    await closed
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const dial = (world: GatewayWorld, name: string): Promise<number> =>
  world.connect({ path: `/ws/${name}` }).then(
    client => {
      client.terminate()
      return 101
    },
    (error: { status?: number }) => error.status ?? 0,
  )

test('a visitor who asks for what such backends close keeps none of them out', async () => {
  const targets = await Promise.all([createBareApp(), createBareApp()])
  const upstream = { connectTimeoutMs: 100, ejectMs: 50 }
  const world = await createWorld(configOf(targets, [route({ path: '/ws/*' })], upstream))
  /** Waits for both probes, of which the second ends at the time-out. */
  const probed = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 250))
  while (world.logged.filter(({ message }) => message === SILENT).length < targets.length) {
    await dial(world, 'nope')
    await probed()
    // Whichever is passed over now serves again before the last of these.
    for (let honest = 0; honest < 20; honest++) {
      assert.equal(await dial(world, 'room'), 101)
      await new Promise(resolve => setTimeout(resolve, 15))
    }
  }
  await probed()
  const before = world.logged.length
  for (let round = 0; round < 6; round++) {
    await dial(world, 'nope')
    await probed()
    for (const _ of targets) assert.equal(await dial(world, 'room'), 101)
  }
  const since = world.logged.slice(before).map(({ message }) => message)
  assert.deepEqual(
    since.filter(message => /passed over|last backend/.test(message)),
    [],
  )
  await world.close()
})
