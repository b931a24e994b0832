import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { WebSocket } from 'ws'
import { start, type Started } from '../../demo/started.ts'
import { type GatewayProcess, startGateway } from '../runtime/gateway-process.ts'
import { configOf, open } from '../runtime/load.ts'

const closed = async (socket: WebSocket): Promise<number> => ((await once(socket, 'close')) as [number])[0]

describe('two workers on one port are one gateway', () => {
  let backend: Started
  let gateway: GatewayProcess
  let port = 0
  const config = (round: number): string =>
    `${configOf(port, round).replaceAll('connections: { total: 20000, perIp: 20000 }', 'connections: { total: 8, perIp: 8 }')}workers: 2\ndrain: 500 ms\n`

  before(async () => {
    backend = await start(process.execPath, [join(import.meta.dirname, '../runtime/echo.ts')], {}, line =>
      line.startsWith('{'),
    )
    port = (JSON.parse(backend.lines[0]!) as { port: number }).port
    gateway = await startGateway(config(0))
  })
  after(async () => {
    await gateway.end()
    await backend.end()
  })

  const workersOf = async (): Promise<Set<number>> =>
    new Set(
      (await gateway.admin('GET', '/-/connections')).json.connections.map(({ worker }: { worker: number }) => worker),
    )

  test('a limit is one limit, not one for each; and both serve', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 8 }, (_, index) => open(gateway.port, '/chat', `user-${index}`)),
    )
    assert.equal((await workersOf()).size, 2)
    await assert.rejects(open(gateway.port, '/chat', 'ninth'), /503|429/)
    const ends = sockets.map(closed)
    for (const socket of sockets) socket.close()
    await Promise.all(ends)
  })

  test('a revocation closes what is on either', async () => {
    const sockets = await Promise.all(Array.from({ length: 4 }, () => open(gateway.port, '/chat', 'alice')))
    assert.equal((await workersOf()).size, 2)
    const ends = sockets.map(closed)
    assert.equal((await gateway.admin('POST', '/-/revoke', { user: 'alice' })).status, 200)
    assert.deepEqual(await Promise.all(ends), [4401, 4401, 4401, 4401])
  })

  test('a reload reaches both; a bad file reaches none', async () => {
    const sockets = await Promise.all(['bea', 'cem', 'dan', 'eva'].map(user => open(gateway.port, '/chat', user)))
    gateway.write(config(1))
    assert.deepEqual((await gateway.admin('POST', '/-/reload')).json.changed, ['other'])
    gateway.write('nonsense: [')
    assert.equal((await gateway.admin('POST', '/-/reload')).status, 422)
    // Told and counted as by a gateway of one process, though no worker has seen it.
    const line = await gateway.heard(({ kind, level }) => kind === 'reload' && level === 'error')
    assert.match(line.msg, /^reload refused: 1 problem in .*; the old configuration stands$/)
    const refused = /^sallyport_reloads_total\{result="refused"\} 1$/m
    while (!refused.test((await gateway.admin('GET', '/metrics')).text));
    assert.equal((await gateway.admin('GET', '/-/connections')).json.total, 4)
    assert.match((await gateway.admin('GET', '/metrics')).text, /^sallyport_connections_open\{route="chat"\} 4$/m)

    // One is killed while the file is broken: another takes its place, with what is in force.
    const { json } = await gateway.admin('GET', '/-/ready')
    assert.equal(json.status, 'ready')
    const [victim] = await workerPids(gateway)
    process.kill(victim!, 'SIGKILL')
    await gateway.heard(({ kind, level }) => kind === 'worker' && level === 'error')
    while ((await gateway.admin('GET', '/-/ready')).status !== 200)
      await new Promise(resolve => {
        setTimeout(resolve, 50)
      })
    assert.match((await gateway.admin('GET', '/metrics')).text, /^sallyport_worker_restarts 1$/m)
    const late = await open(gateway.port, '/chat', 'fay')
    late.terminate()
    for (const socket of sockets) socket.terminate()
  })

  test('SIGTERM: both let go, and all end with 0', async () => {
    const socket = await open(gateway.port, '/chat', 'gus')
    const end = closed(socket)
    const exited = once(gateway.process, 'exit')
    gateway.process.kill('SIGTERM')
    assert.equal(await end, 1012)
    assert.deepEqual(await exited, [0, null])
  })
})

/** Pids of the workers, from the kernel. */
async function workerPids({ process: parent }: GatewayProcess): Promise<readonly number[]> {
  const { readFile } = await import('node:fs/promises')
  const children = await readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8')
  return children.trim().split(' ').map(Number)
}
