import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReadAhead, type Holder, type ReadAhead } from '../../src/connection/read-ahead.ts'
import { fc } from '../../../../test/support/fast-check.ts'

const BOUNDS = { each: 48, address: 256, total: 1024 }

interface Seat extends Holder {
  evicted: boolean
}

function holder(account: ReadAhead, aheadKey = 'a'): Seat {
  const seat: Seat = {
    aheadBytes: 0,
    aheadKey,
    evicted: false,
    evict() {
      seat.evicted = true
      account.add(seat, -seat.aheadBytes)
    },
  }
  return seat
}

test('one connection is read until so much waits, and again once it is handled', () => {
  const account = createReadAhead(BOUNDS)
  const one = holder(account)
  account.add(one, 47)
  assert.equal(account.mayRead(one), true)
  account.add(one, 1)
  assert.equal(account.mayRead(one), false)
  account.add(one, -1)
  assert.equal(account.mayRead(one), true)
  account.add(one, -47)
  assert.equal(account.bytes, 0)
})

test('attack: ten thousand held connections of many addresses: what is read is bounded in all, and shared fairly', () => {
  const account = createReadAhead({ each: 49_152, address: 1 << 24, total: 1 << 26 })
  const seats = Array.from({ length: 10_000 }, (_, index) => holder(account, `192.0.2.${index % 250}`))
  const late = holder(account, '198.51.100.1')
  for (let round = 0; round < 100; round++) {
    for (const seat of seats) if (account.mayRead(seat)) account.add(seat, 1_000)
  }
  assert.ok(account.bytes <= 1 << 26)
  assert.ok(seats.every(({ evicted }) => !evicted))
  const shares = seats.map(({ aheadBytes }) => aheadBytes)
  assert.ok(Math.max(...shares) - Math.min(...shares) <= 1_000)
  // Whoever comes last still finds room: its ping and its close frame are seen.
  assert.equal(account.mayRead(late), true)
})

test('attack: one address holds much: others read on, and the address no more', () => {
  const account = createReadAhead(BOUNDS)
  const seats = Array.from({ length: 40 }, () => holder(account))
  for (let round = 0; round < 48; round++) {
    for (const seat of seats) if (account.mayRead(seat)) account.add(seat, 1)
  }
  assert.ok(account.bytes <= BOUNDS.address)
  assert.equal(account.mayRead(holder(account, 'b')), true)
})

test('bytes that came with one read are over the bound of an address: its greatest holder ends, and nobody else’s', () => {
  const account = createReadAhead(BOUNDS)
  const [small, great, other] = [holder(account), holder(account), holder(account, 'b')]
  account.add(other, 200)
  account.add(great, 200)
  account.add(small, 60)
  assert.deepEqual([small.evicted, great.evicted, other.evicted], [false, true, false])
  assert.equal(account.bytes, 260)
})

test('over the bound in all the address that holds the most pays', () => {
  const account = createReadAhead({ ...BOUNDS, address: 2_000 })
  const attackers = Array.from({ length: 9 }, () => holder(account, 'mallory'))
  const honest = holder(account, 'ann')
  account.add(honest, 150)
  for (const attacker of attackers) account.add(attacker, 100)
  assert.equal(honest.evicted, false)
  assert.equal(attackers.filter(({ evicted }) => evicted).length, 1)
  assert.ok(account.bytes <= 1024)
})

test('the account stays right, whatever comes and goes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(7), fc.integer({ min: 1, max: 120 }), fc.boolean()), { maxLength: 200 }),
      steps => {
        const account = createReadAhead({ each: 48, address: 200, total: 400 })
        const seats = Array.from({ length: 8 }, (_, index) => holder(account, `k${index % 3}`))
        for (const [index, bytes, isAdded] of steps) {
          const seat = seats[index]!
          if (isAdded) account.add(seat, bytes)
          else account.add(seat, -Math.min(bytes, seat.aheadBytes))
          assert.equal(
            account.bytes,
            seats.reduce((sum, { aheadBytes }) => sum + aheadBytes, 0),
          )
          assert.ok(account.bytes <= 400)
          for (const key of ['k0', 'k1', 'k2']) {
            const own = seats.filter(({ aheadKey }) => aheadKey === key).reduce((sum, one) => sum + one.aheadBytes, 0)
            assert.ok(own <= 200)
          }
        }
      },
    ),
  )
})
