import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { end } from '../../src/connection/ending.ts'
import { newAttempt } from '../../src/model/attempt.ts'
import { createAddressReader } from '../../src/request/client-address.ts'
import { fromRead, type PeerRequest } from '../../src/request/peer-request.ts'
import { SETTLE_MS } from '../../src/controls/lifetime/keeper.ts'
import { EngineRequest } from '../../src/node/upgrade-request.ts'
import { FakeTransport, type Guarded, guarded } from '../guard/live.ts'

const readAddress = createAddressReader({ trust: [], header: 'x-forwarded-for' })
const READ = { target: '/ws?a=1', rawHeaders: ['Host', 'app.test', 'Cookie', 'sid=a'] }

function opened(t: TestContext): Guarded & { readonly request: PeerRequest; readonly wire: FakeTransport } {
  const guard = guarded(t)
  guard.core.restWith(EngineRequest)
  const request = fromRead(READ, new Socket(), EngineRequest, readAddress) as PeerRequest
  const wire = new FakeTransport()
  const attempt = { ...newAttempt('c1', request), session: { id: 's1', user: 'ann' } }
  guard.core.open({ pass: true, attempt }, wire, { message: () => undefined })
  return { ...guard, request, wire }
}
const isPacked = (request: PeerRequest): boolean => !Object.values(request).some(Array.isArray)

for (const [name, ms, packed] of [
  ['a tick before its time', SETTLE_MS - 100, false],
  ['at its time', SETTLE_MS, true],
  ['a tick later', SETTLE_MS + 100, true],
] as const) {
  test(`a connection keeps its lines ${packed ? 'packed' : 'as they were read'} ${name}`, async t => {
    const { request, run } = opened(t)
    await run(ms)
    assert.equal(isPacked(request), packed)
    assert.deepEqual([request.header('cookie'), request.target], ['sid=a', '/ws?a=1'])
  })
}

test('a connection that is gone by then is spared the work', async t => {
  const { core, request, run } = opened(t)
  for (const connection of core.connections) end(connection, { kind: 'gone', closeCode: 1006 })
  await run(2 * SETTLE_MS)
  assert.equal(isPacked(request), false)
})

test('one that closes by then is spared it too, and is still cut if its peer does not answer', async t => {
  const { core, request, run, wire } = opened(t)
  for (const connection of core.connections) connection.close(1000)
  await run(6000)
  assert.equal(isPacked(request), false)
  assert.equal(wire.terminated, true)
})

test('it is done once: the heartbeat comes at its own time', async t => {
  const { core, run, wire } = opened(t)
  await run(SETTLE_MS)
  let asked = 0
  for (const connection of core.connections) {
    Object.defineProperty(connection, 'request', { get: () => (asked++, connection.attempt.request) })
  }
  await run(5000)
  assert.equal(asked, 0)
  assert.equal(wire.pings, 0)
})
