import assert from 'node:assert/strict'
import cluster, { type Worker } from 'node:cluster'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type IpcPrimary, serveIpcStore } from 'sallyport/store/ipc'
import { freePort } from '../../packages/sallyport/test/store/redis-server.ts'
import { closed, type FleetNode, open, openWith, ticketFor } from './fleet.ts'
import type { NodeSetup } from './orders.ts'

const range = (length: number): number[] => Array.from({ length }, (_, index) => index)

describe('two workers of node:cluster on one port, the store in their primary', () => {
  let primary: IpcPrimary
  let port: FleetNode
  const workers: Worker[] = []
  before(async () => {
    primary = serveIpcStore()
    const sharedPort = await freePort()
    const setup: NodeSetup = { index: 0, redis: null, client: 'node-redis', sharedPort }
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('./node.ts', import.meta.url)),
      args: [JSON.stringify(setup)],
      execArgv: ['--conditions=sallyport-source'],
    })
    const listening = range(2).map(() => {
      const worker = cluster.fork()
      workers.push(worker)
      return new Promise(resolve => worker.once('listening', resolve))
    })
    await Promise.all(listening)
    port = { host: '127.0.0.1', port: sharedPort } as FleetNode
  })
  after(() => {
    for (const worker of workers) worker.process.kill('SIGKILL')
    primary.close()
  })

  it('a ticket of one worker, 300 racing handshakes at both: exactly one wins', async () => {
    const ticket = (await ticketFor(port, 'race', 's')) ?? ''
    const answers = await Promise.all(range(300).map(() => openWith(port, 'race', 's', ticket)))
    const won = answers.filter(({ socket }) => socket !== null)
    assert.equal(won.length, 1)
    won[0]?.socket?.terminate()
  })

  it('a cap of 10, 200 racing handshakes at both: exactly 10; killed workers give their places back', async () => {
    const opened = await Promise.all(range(200).map(nth => open(port, 'crowd', `c${nth}`)))
    const sockets = opened.flatMap(({ socket }) => (socket === null ? [] : [socket]))
    assert.equal(sockets.length, 10)
    assert.equal((await open(port, 'crowd', 'eleventh')).status, 429)
    // The crowd may be at one worker alone: both are killed, and a third one, which held none of it, takes the next.
    const crowded = workers.slice()
    const third = cluster.fork()
    workers.push(third)
    await new Promise(resolve => third.once('listening', resolve))
    const ends = sockets.map(socket => closed(socket))
    const gone = crowded.map(worker => new Promise(resolve => worker.once('exit', resolve)))
    for (const worker of crowded) worker.process.kill('SIGKILL')
    await Promise.all([...gone, ...ends])
    const next = await open(port, 'crowd', 'next')
    assert.equal(next.status, 101)
    next.socket?.terminate()
    for (const socket of sockets) socket.terminate()
  })
})
