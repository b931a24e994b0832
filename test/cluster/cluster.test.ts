import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type RedisServer, startRedis } from '../../packages/sallyport/test/store/redis-server.ts'
import {
  closed,
  type FleetNode,
  type Opened,
  open,
  openUntil,
  openWith,
  quantile,
  startNode,
  ticketFor,
} from './fleet.ts'

const range = (length: number): number[] => Array.from({ length }, (_, index) => index)

for (const client of ['node-redis', 'ioredis'] as const) {
  describe(`three nodes as processes on one Redis, by ${client}`, () => {
    let server: RedisServer
    let nodes: FleetNode[] = []
    const at = (index: number): FleetNode => nodes[index % nodes.length]!
    before(async () => {
      server = await startRedis()
      nodes = await Promise.all(
        range(3).map(index =>
          startNode({
            index,
            redis: { host: '127.0.0.1', port: server.port },
            client,
            // What is raced for is tested here, not how fast a busy machine answers.
            store: { deadlineMs: 2000 },
          }),
        ),
      )
      // A Redis that was born just now forgets tickets that are older than it, by the clocks' tolerance.
      const opened = await openUntil(
        ({ status }) => status === 101,
        5000,
        () => open(at(0), 'first', 'first'),
      )
      assert.equal(opened.status, 101, opened.code)
      opened.socket?.terminate()
    })
    after(async () => {
      await Promise.all(nodes.map(node => node.kill()))
      await server.close()
    })

    it('500 racing handshakes with one ticket: exactly one wins', async () => {
      const ticket = await ticketFor(at(0), 'race', 's-race')
      assert.ok(ticket !== null)
      const answers = await Promise.all(range(500).map(nth => openWith(at(nth), 'race', 's-race', ticket)))
      const winners = answers.filter(({ socket }) => socket !== null)
      assert.equal(
        winners.length,
        1,
        JSON.stringify(
          Object.groupBy(answers, ({ code }) => code),
          null,
          1,
        ).slice(0, 500),
      )
      for (const { socket } of winners) socket?.terminate()
    })

    it('a cap of 10, 1 000 racing handshakes over three nodes: never more than 10', async () => {
      let live = 0
      let most = 0
      const answers: Opened[] = []
      for (const wave of range(4)) {
        const tickets = await Promise.all(range(250).map(async nth => ticketFor(at(nth), 'crowd', `s-${wave}-${nth}`)))
        const opened = await Promise.all(
          tickets.map(async (ticket, nth) => {
            const answer = await openWith(at(nth + 1), 'crowd', `s-${wave}-${nth}`, ticket ?? '')
            if (answer.socket !== null) most = Math.max(most, ++live)
            return answer
          }),
        )
        answers.push(...opened)
      }
      assert.equal(most, 10)
      assert.equal(answers.filter(({ status }) => status === 101).length, 10)
      const refused = answers.find(({ status }) => status === 429)
      assert.equal(refused?.code, 'SALLY_CONNECTIONS_USER')
      // Given back on one node, a place is free on another.
      const gone = answers.flatMap(({ socket }) => (socket === null ? [] : [socket]))
      await Promise.all(gone.map(socket => (socket.terminate(), closed(socket))))
      const again = await openUntil(
        ({ status }) => status !== 429,
        5000,
        () => open(at(2), 'crowd', 'later'),
      )
      assert.equal(again.status, 101)
      again.socket?.terminate()
    })

    it('revoke on one node closes the sockets of that user on all of them, p99 under a second', async () => {
      const sockets = (await Promise.all(range(90).map(nth => open(at(nth), `u${nth % 9}`, `s${nth}`)))).flatMap(
        ({ socket }) => (socket === null ? [] : [socket]),
      )
      assert.equal(sockets.length, 90)
      const bystander = await open(at(1), 'bystander', 'b')
      const from = performance.now()
      const ends = sockets.map(async socket => (await closed(socket)) - from)
      await Promise.all(range(9).map(user => at(user).order({ order: 'revoke', target: { user: `u${user}` } })))
      const times = await Promise.all(ends)
      assert.ok(quantile(times, 0.99) < 1000, `p99 ${quantile(times, 0.99)} ms`)
      assert.equal(bystander.socket?.readyState, 1)
      bystander.socket?.terminate()
    })

    it('a session that was revoked on one node is refused on the others', async () => {
      const ticket = await ticketFor(at(1), 'out', 's-out')
      await at(0).order({ order: 'revoke', target: { session: 's-out' } })
      const answer = await openWith(at(2), 'out', 's-out', ticket ?? '')
      assert.equal(answer.status, 401)
    })

    it('Redis holds neither session ids nor users nor addresses in clear', async () => {
      const kept = await open(at(0), 'clear-user', 'clear-session')
      await at(0).order({ order: 'revoke', target: { session: 'clear-session-2' } })
      const keys = await server.admin.keys('*')
      assert.ok(keys.length > 0)
      const values: string[] = []
      for (const key of keys) {
        const type = await server.admin.type(key)
        if (type === 'string') values.push((await server.admin.get(key)) ?? '')
        if (type === 'hash') values.push(JSON.stringify(await server.admin.hgetall(key)))
        if (type === 'zset') values.push(JSON.stringify(await server.admin.zrange(key, 0, '-1')))
      }
      const all = [...keys, ...values].join('\n')
      for (const clear of ['clear-user', 'clear-session', '127.0.0.1']) assert.ok(!all.includes(clear), clear)
      kept.socket?.terminate()
    })
  })
}
