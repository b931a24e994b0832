import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEASE_TTL_MS } from '../../src/model/lease-time.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { FakeTransport, guarded, REQUEST, settled, START } from '../guard/live.ts'

const timers = (): number => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length

test('10 000 connections cost one timer, and none once they are gone', t => {
  const guard = guarded(t)
  // The real clock: what is counted are the timers of the process.
  t.mock.timers.reset()
  const before = timers()
  const seats = Array.from({ length: 10_000 }, () => guard.seat())
  assert.ok(timers() - before <= 1, `${timers() - before} timers`)
  assert.equal(guard.core.connections.size, 10_000)
  for (const { connection } of seats) connection.closed(1001)
  assert.equal(timers(), before)
  assert.equal(guard.core.connections.size, 0)
})

test('of several that are due the gravest names the close, and only that one is reported', async t => {
  const session = { id: 's1', user: 'ann', expiresAt: START + 1000 }
  const guard = guarded(t, {
    handshake: { session: () => session },
    lifetime: { idle: { after: 1000 }, age: { max: 1000 }, heartbeat: { interval: 1000 }, session: {} },
  })
  const { wire } = guard.seat({ session })
  await guard.run(2000)
  assert.deepEqual(wire.closes, [[4401, 'SALLY_LIFETIME_EXPIRED']])
  assert.deepEqual(guard.denials(), ['SALLY_LIFETIME_EXPIRED'])
  assert.equal(wire.pings, 0)
})

test('report mode of all: each control speaks once, the connection lives on', async t => {
  const session = { id: 's1', user: 'ann', expiresAt: START + 1000 }
  const guard = guarded(t, {
    handshake: { session: () => session },
    lifetime: { idle: { after: 1000 }, age: { max: 1000 }, heartbeat: { interval: 1000 }, session: {} },
    report: true,
  })
  const { connection, wire } = guard.seat({ session })
  await guard.run(300_000)
  assert.deepEqual(guard.denials().toSorted(), [
    'SALLY_AGE?',
    'SALLY_HEARTBEAT_LOST?',
    'SALLY_IDLE?',
    'SALLY_LIFETIME_EXPIRED?',
  ])
  assert.equal(connection.readyState, 1)
  assert.deepEqual(wire.closes, [])
})

for (const [name, close] of [
  ['the app', (connection: any) => connection.close(1000)],
  ['a violation', (connection: any) => connection.violation(1002, 'broken')],
  ['a denial', (connection: any) => connection.end({ pass: false, code: 'SALLY_AGE', facts: {} })],
] as const) {
  test(`a peer that does not answer the close by ${name} is cut after five seconds, not before`, async t => {
    const guard = guarded(t)
    const { connection, wire } = guard.seat()
    close(connection)
    await guard.run(4999)
    assert.equal(wire.terminated, false)
    await guard.run(200)
    assert.equal(wire.terminated, true)
  })
}

test('one whose check throws is cut, and takes nobody with it', async t => {
  const guard = guarded(t, { lifetime: { heartbeat: { interval: 1000 }, session: { dangerouslyOff: true } } })
  const [broken, sound] = [guard.seat(), guard.seat()]
  broken.wire.ping = () => {
    throw new Error('broken')
  }
  await guard.run(1000)
  assert.equal(broken.wire.terminated, true)
  assert.equal(sound.wire.terminated, false)
  assert.equal(sound.wire.pings, 1)
})

test('leases are renewed well before they lapse, and given back at the end', async t => {
  const store = createMemoryStore({ now: Date.now })
  const guard = guarded(t, { store })
  const attempt = {
    id: 'c',
    request: REQUEST,
    origin: null,
    standing: 'proven' as const,
    credential: null,
    subprotocol: null,
    ticket: 'none' as const,
    ended: false,
    session: { id: 's1', user: 'ann' },
    leases: [{ key: 'user:ann', cap: 1 }],
  }
  // As the guard sees it: its keys bear the policy's name.
  const counts = guard.core.context.store
  await counts.lease('user:ann', 'c', 1, LEASE_TTL_MS)
  const connection = guard.core.open({ pass: true, attempt }, new FakeTransport(), { message: () => undefined })
  for (let minute = 0; minute < 4; minute++) {
    await guard.run(LEASE_TTL_MS - 1000)
    connection.ponged()
    assert.equal(await counts.lease('user:ann', 'other', 1, LEASE_TTL_MS), false)
  }
  connection.closed(1000)
  await settled()
  assert.equal(await counts.lease('user:ann', 'other', 1, LEASE_TTL_MS), true)
  store.close()
})
