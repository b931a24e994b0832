import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LiveConnection } from '../../src/connection/live-connection.ts'
import { NOTHING_RARE, RareState } from '../../src/connection/rare-state.ts'
import { guarded, START } from '../guard/live.ts'

const rareOf = (connection: LiveConnection): unknown => connection.rare
const NO_BEAT = { session: { dangerouslyOff: true }, heartbeat: { dangerouslyOff: true } }

describe('the record of what is rare', () => {
  test('a connection that is pinged, speaks and is answered has none', async t => {
    const guard = guarded(t)
    const { connection, wire, read } = guard.seat({ delivery: { message: (_, live) => void live.send({ ok: 1 }) } })
    for (let beat = 1; beat <= 3; beat++) {
      read({ n: beat })
      await guard.run(30_000)
      assert.equal(wire.pings, beat)
      connection.ponged()
    }
    assert.equal(wire.sent.length, 3)
    assert.equal(rareOf(connection), NOTHING_RARE)
  })

  const attacks: readonly (readonly [
    name: string,
    attack: (one: ReturnType<ReturnType<typeof guarded>['seat']>) => void,
  ])[] = [
    ['floods pongs that nobody asked for', ({ connection }) => connection.ponged()],
    [
      'does not read',
      ({ connection, wire }) => {
        wire.bufferedAmount = 2_000_000
        connection.send({ a: 1 })
      },
    ],
    ['breaks the protocol', ({ connection }) => connection.violation(1002, 'reserved bits')],
    ['is closed', ({ connection }) => connection.close()],
    ['is refused a message', ({ read }) => read('no JSON')],
    ['is asked for its signal', ({ connection }) => connection.signal.throwIfAborted()],
  ]
  for (const [name, attack] of attacks) {
    test(`one connection ${name}: nobody else is touched`, t => {
      const guard = guarded(t, { lifetime: NO_BEAT })
      const evil = guard.seat()
      const good = guard.seat({ session: { id: 's2', user: 'bob' } })
      attack(evil)
      assert.notEqual(rareOf(evil.connection), NOTHING_RARE)
      assert.equal(rareOf(good.connection), NOTHING_RARE)
      assert.deepEqual({ ...NOTHING_RARE }, { ...new RareState() })
      assert.deepEqual(
        [good.connection.readyState, good.connection.reading, good.connection.rare.denial],
        [1, true, null],
      )
    })
  }

  test('what all share takes no word of anybody', () => {
    for (const key of Object.keys(NOTHING_RARE)) assert.equal(Reflect.set(NOTHING_RARE, key, 1), false, key)
  })
})

describe('times of a connection', () => {
  for (const ms of [-3_600_000, -1, 0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1]) {
    test(`${ms} ms after it opened are told as they were set: no clock set back and no long life wraps round`, t => {
      const { connection } = guarded(t).seat()
      connection.pingedAt = START + ms
      connection.checkedAt = START + ms
      connection.leaseAt = START + ms
      assert.deepEqual(
        [connection.pingedAt, connection.checkedAt, connection.leaseAt, connection.openedAt],
        [START + ms, START + ms, START + ms, START],
      )
    })
  }
})
