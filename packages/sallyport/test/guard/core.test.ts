import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCore } from '../../src/guard/core.ts'
import { createObserver } from '../../src/guard/observer.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store, RevocationTarget } from '../../src/model/store.ts'
import { FakeTransport } from './live.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

/** A core whose `authorize` waits: the session is found, the connection not yet open. */
function slowDoor(handshake: object = {}, rest: object = {}) {
  const gate = Promise.withResolvers<boolean>()
  const entered = Promise.withResolvers<void>()
  const policy = parsePolicy({
    handshake: {
      origin: { allow: ['http://localhost:8080'] },
      session: () => ({ id: 's1', user: 'ann' }),
      ticket: { dangerouslyWithoutTicket: true },
      authorize() {
        entered.resolve()
        return gate.promise
      },
      ...handshake,
    },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
    ...rest,
  })
  const core = createCore(policy, systemRuntime, createObserver(policy, systemRuntime))
  const request = new Request('http://localhost:8080/ws', {
    headers: {
      host: 'localhost:8080',
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'sallyport.v1',
      origin: 'http://localhost:8080',
    },
  })
  return { core, gate, entered: entered.promise, admittance: core.admit(core.fromWeb(request, '127.0.0.1')) }
}

for (const [name, target, status] of [
  ['its session', { session: 's1' }, 401],
  ['its user', { user: 'ann' }, 401],
  ['everybody', 'all', 401],
  ['another session', { session: 's2' }, null],
  ['another user', { user: 'bob' }, null],
] as readonly (readonly [string, RevocationTarget, number | null])[]) {
  test(`revoking ${name} while the handshake is under way ${status === null ? 'does not touch it' : 'refuses it'}`, async () => {
    const { core, gate, entered, admittance } = slowDoor()
    await entered
    await core.revoke(target)
    gate.resolve(true)
    const answer = await admittance
    assert.equal(answer.pass ? null : answer.status, status)
  })
}

test('a revocation between the admission and its opening ends the connection as it opens', async () => {
  const { core, gate, admittance } = slowDoor()
  gate.resolve(true)
  const answer = await admittance
  assert.equal(answer.pass, true)
  if (!answer.pass) return
  await core.revoke({ user: 'ann' })
  const wire = new FakeTransport()
  const opened: string[] = []
  core.open(answer, wire, { message: () => undefined, open: () => opened.push('open') }).begin()
  assert.deepEqual(wire.closes, [[4401, 'SALLY_LIFETIME_REVOKED']])
  assert.deepEqual(opened, [])
})

test('a drain while the handshake is under way refuses it', async () => {
  const { core, gate, entered, admittance } = slowDoor()
  await entered
  await core.drain(0)
  gate.resolve(true)
  const answer = await admittance
  assert.equal(answer.pass ? null : answer.status, 503)
})

test('what is refused, given up or ended leaves no lease behind', async () => {
  const { core, gate, admittance } = slowDoor({ connections: { perUser: 1 } })
  gate.resolve(true)
  const answer = await admittance
  if (!answer.pass) assert.fail(answer.denial.code)
  const user = answer.attempt.leases.find(({ key }) => key.includes('ann'))!
  assert.equal(await core.context.store.lease(user.key, 'other', user.cap, 1000), false)
  core.abandon(answer)
  assert.equal(await core.context.store.lease(user.key, 'other', user.cap, 1000), true)
})

test('report mode lets a connection without a session in, and its re-check does not end it', async () => {
  const { core, gate, admittance } = slowDoor(
    { session: () => null, authorize: undefined },
    { report: ['handshake/session'] },
  )
  gate.resolve(true)
  const answer = await admittance
  assert.ok(answer.pass)
  assert.match(answer.attempt.session.user, /^ip:/)
  const connection = core.open(answer, new FakeTransport(), { message: () => undefined })
  connection.recheck()
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(connection.readyState, 1)
  assert.equal(connection.checking, false, 'the re-check is over')
  connection.terminate()
})

test('what the operator revokes ends in report mode too', async () => {
  const { core, gate, admittance } = slowDoor({}, { report: true })
  gate.resolve(true)
  const answer = await admittance
  assert.ok(answer.pass)
  const transport = new FakeTransport()
  const connection = core.open(answer, transport, { message: () => undefined })
  await core.revoke({ session: 's1' })
  assert.equal(connection.readyState, 2)
  assert.deepEqual(transport.closes, [[4401, 'SALLY_LIFETIME_REVOKED']])
})

/** A store that counts who listens. */
function countedStore(): { readonly store: Store; readonly heard: { revoked: number; state: number } } {
  const memory = createMemoryStore()
  const heard = { revoked: 0, state: 0 }
  const store: Store = {
    ...memory,
    onRevoked(listener) {
      heard.revoked++
      const off = memory.onRevoked(listener)
      return () => {
        heard.revoked--
        off()
      }
    },
    onState() {
      heard.state++
      return () => void heard.state--
    },
  }
  return { store, heard }
}

test('a drained guard lets go of its store, once nobody is on the way in', async () => {
  const { store, heard } = countedStore()
  const { core, gate, entered, admittance } = slowDoor({}, { store })
  await entered
  assert.deepEqual(heard, { revoked: 1, state: 1 })
  await core.drain(0)
  assert.deepEqual(heard, { revoked: 1, state: 1 })
  gate.resolve(true)
  assert.equal((await admittance).pass, false)
  assert.deepEqual(heard, { revoked: 0, state: 0 })
  await core.drain(0)
  assert.deepEqual(heard, { revoked: 0, state: 0 })
})

test('a guard that drains gets revocations until its last connection is gone', async () => {
  const { store, heard } = countedStore()
  const { core, gate, admittance } = slowDoor({}, { store })
  gate.resolve(true)
  const answer = await admittance
  assert.ok(answer.pass)
  const transport = new FakeTransport()
  const connection = core.open(answer, transport, { message: () => undefined })
  const drained = core.drain(60_000)
  assert.deepEqual(heard, { revoked: 1, state: 1 })
  await store.revoke({ session: 's1' }, 1000)
  assert.deepEqual(transport.closes, [[4401, 'SALLY_LIFETIME_REVOKED']])
  connection.terminate()
  connection.closed(4401)
  await drained
  assert.deepEqual(heard, { revoked: 0, state: 0 })
})

test('a drained guard that takes a connection over hears again', async () => {
  const { store, heard } = countedStore()
  const from = slowDoor()
  from.gate.resolve(true)
  const answer = await from.admittance
  assert.ok(answer.pass)
  const transport = new FakeTransport()
  const connection = from.core.open(answer, transport, { message: () => undefined })
  const { core, gate, admittance } = slowDoor({ authorize: undefined }, { store })
  gate.resolve(true)
  const unused = await admittance
  if (unused.pass) core.abandon(unused)
  await core.drain(0)
  assert.deepEqual(heard, { revoked: 0, state: 0 })
  core.adopt(connection)
  await store.revoke({ session: 's1' }, 1000)
  assert.deepEqual(transport.closes, [[4401, 'SALLY_LIFETIME_REVOKED']])
})

for (const [name, found, closes, left] of [
  ['the same session and user: it stays, with what was found again', { id: 's1', user: 'ann', role: 'b' }, [], 'b'],
  ['another user: it ends', { id: 's1', user: 'bob', role: 'b' }, [[4401, 'SALLY_LIFETIME_INVALID']], 'a'],
  ['another session: it ends', { id: 's2', user: 'ann', role: 'b' }, [[4401, 'SALLY_LIFETIME_INVALID']], 'a'],
] as const) {
  for (const later of [false, true]) {
    test(`a guard that takes a connection over finds ${name}${later ? ', later' : ''}`, async () => {
      const from = slowDoor({ session: () => ({ id: 's1', user: 'ann', role: 'a' }) })
      from.gate.resolve(true)
      const answer = await from.admittance
      assert.ok(answer.pass)
      const transport = new FakeTransport()
      const connection = from.core.open(answer, transport, { message: () => undefined })
      const to = slowDoor({ session: () => (later ? Promise.resolve(found) : found), authorize: undefined })
      await to.admittance
      to.core.adopt(connection)
      await new Promise(setImmediate)
      assert.deepEqual(transport.closes, closes)
      assert.deepEqual(connection.session, { id: 's1', user: 'ann', role: left })
    })
  }
}
