import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { type RedisServer, startRedis } from '../../../sallyport/test/store/redis-server.ts'
import { start, type Started } from '../../demo/started.ts'
import { type GatewayProcess, startGateway } from './gateway-process.ts'
import { configOf, open } from './load.ts'

const SECRET = 'v7Kq2Zr9Xk4Tn1Vc8Mf5Jd3Hs6Lp0GyE'
const closed = async (socket: WebSocket): Promise<number> => ((await once(socket, 'close')) as [number])[0]

describe('two gateways that share a Redis', {
  skip: !existsSync('/usr/bin/redis-server') && 'redis-server is not installed',
}, () => {
  let backend: Started
  let redis: RedisServer
  let a: GatewayProcess
  let b: GatewayProcess

  before(async () => {
    redis = await startRedis()
    backend = await start(process.execPath, [join(import.meta.dirname, 'echo.ts')], {}, line => line.startsWith('{'))
    const { port } = JSON.parse(backend.lines[0]!) as { port: number }
    const config = `${configOf(port, 0).replaceAll('connections: { total: 20000, perIp: 20000 }', 'connections: { total: 4, perIp: 4 }')}store: { redis: { url: '\${REDIS_URL}', secret: ${SECRET} } }\n`
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` }
    ;[a, b] = await Promise.all([startGateway(config, env), startGateway(config, env)])
  })
  after(async () => {
    await Promise.all([a.end(), b.end()])
    await backend.end()
    await redis.close()
  })

  test('a limit is one for both, and a place that one gives up the other has', async () => {
    const sockets = await Promise.all([a, a, b, b].map(({ port }, index) => open(port, '/chat', `user-${index}`)))
    await assert.rejects(open(a.port, '/chat', 'fifth'), /503|429/)
    await assert.rejects(open(b.port, '/chat', 'fifth'), /503|429/)
    const ends = sockets.map(closed)
    for (const socket of sockets) socket.close()
    await Promise.all(ends)
  })

  test('a revocation at one closes what is open at the other, and is final there', async () => {
    const socket = await open(b.port, '/chat', 'mallory')
    const end = closed(socket)
    assert.equal((await a.admin('POST', '/-/revoke', { session: 'mallory' })).status, 200)
    assert.equal(await end, 4401)
    await assert.rejects(open(b.port, '/chat', 'mallory'), /401/)
  })

  test('without Redis nobody is let in, and the log says why; with it again they are', async () => {
    await redis.kill()
    await a.heard(({ kind, level }) => kind === 'store' && level === 'error')
    await assert.rejects(open(a.port, '/chat', 'nina'), /503/)
    const asked = (): number => a.lines.filter(line => line.includes('the shared store is asked')).length
    while (asked() < 3) await pause(20)
    const away = a.lines.filter(line => line.includes('"kind":"store"') && line.includes('"state":'))
    assert.deepEqual(
      away.map(line => (JSON.parse(line) as { state: string }).state).slice(-1),
      ['unavailable'],
      'an outage is told once, however often it is looked whether it is over',
    )
    assert.equal(away.filter(line => line.includes('"probing"')).length, 0)
    const { at, remedy } = await a.heard(({ msg }) => msg.startsWith('Redis cannot be reached'))
    assert.match(String(at), /:\d+$/)
    assert.match(String(remedy), /store\.redis\.url/)
    await redis.start()
    let socket: WebSocket | null = null
    for (let tries = 0; socket === null && tries < 300; tries++) {
      socket = await open(a.port, '/chat', 'nina').catch(() => null)
      if (socket === null) await pause(50)
    }
    assert.ok(socket, 'it never came back')
    socket.terminate()
    assert.doesNotMatch(a.lines.join('\n'), new RegExp(SECRET))
  })
})
