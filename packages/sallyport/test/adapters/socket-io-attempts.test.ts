import assert from 'node:assert/strict'
import { test } from 'node:test'
import { host } from './socket-io-host.ts'

const OPEN = '/socket.io/?EIO=4&transport=polling'

for (const transport of ['polling', 'websocket'] as const) {
  test(`honest: 60 people behind one address connect by ${transport}, while a stranger there spends its budget`, async t => {
    const server = await host(t)
    const stranger = { Origin: server.origin }
    const codes = new Set<number>()
    for (let nth = 0; nth < 130; nth++) codes.add((await server.send('GET', OPEN, stranger)).status)
    assert.deepEqual([...codes], [401, 429])
    const people = Array.from({ length: 60 }, (_, nth) =>
      server.client(transport, { extraHeaders: { Origin: server.origin, Cookie: `user=u${nth}` } }),
    )
    for (const person of await Promise.all(people)) assert.equal(person.connected, true)
  })
}

test('attack: made-up cookies at the polling door are looked up no more than 100 times a second', async t => {
  let looks = 0
  const server = await host(t, {
    handshake: {
      session: async () => {
        looks++
        return null
      },
    },
  })
  const from = performance.now()
  await Promise.all(
    Array.from({ length: 300 }, (_, nth) =>
      server.send('GET', OPEN, { Origin: server.origin, Cookie: `user=x${nth}` }),
    ),
  )
  const seconds = (performance.now() - from) / 1000
  // 34 at once, then 100 a second; 100 of one address may wait.
  assert.ok(looks <= 40 + 100 * seconds, `${looks} in ${seconds} s`)
})

test('attack: one user who opens polling sessions in a loop is refused by his own budget, and nobody else is', async t => {
  const server = await host(t, { handshake: { connections: { perUser: 1000 } } })
  const codes: number[] = []
  for (let nth = 0; nth < 60; nth++) codes.push((await server.send('GET', OPEN, server.headers)).status)
  assert.ok(codes.filter(status => status === 200).length <= 45)
  assert.equal(codes.at(-1), 429)
  const bob = await server.client('polling', { extraHeaders: { Origin: server.origin, Cookie: 'user=bob' } })
  assert.equal(bob.connected, true)
})
