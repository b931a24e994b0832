import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { createBackoff } from '../../src/client/backoff.ts'
import { connect } from '../../src/client/index.ts'
import { fakeSockets, settle } from './fake-socket.ts'

describe('back-off', () => {
  it('waits between the floor and the floor plus a bound that doubles up to max', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 30 }),
        (min, more, floors) => {
          const backoff = createBackoff({ min, max: min + more })
          for (const [nth, floor] of floors.entries()) {
            const wait = backoff.next(floor)
            assert.ok(wait >= floor && wait <= floor + Math.min(min + more, min * 2 ** nth), `${nth}: ${wait}`)
          }
          backoff.reset()
          assert.ok(backoff.next(0) <= min)
        },
      ),
    )
  })

  for (const { row, random, expected } of [
    { row: 'the lowest draw', random: 0, expected: [0, 0, 0] },
    { row: 'the middle', random: 0.5, expected: [250, 500, 1000] },
  ])
    it(`full jitter: ${row} of the defaults`, () => {
      const draw = mock.method(Math, 'random', () => random)
      const backoff = createBackoff()
      assert.deepEqual([backoff.next(0), backoff.next(0), backoff.next(0)], expected)
      // A deploy lasts seconds to minutes: for two minutes nobody waits longer than 5 s …
      for (let times = 0; times < 40; times++) assert.ok(backoff.next(0) <= random * 5000)
      assert.equal(backoff.next(0), random * 5000)
      // … and then less and less is asked.
      for (let times = 0; times < 20; times++) backoff.next(0)
      assert.equal(backoff.next(0), random * 30_000)
      backoff.reset()
      for (let times = 0; times < 40; times++) assert.ok(backoff.next(0) <= random * 5000)
      draw.mock.restore()
    })
})

describe('the next wait is short again', () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] })
    mock.method(Math, 'random', () => 0.999)
  })
  afterEach(() => {
    mock.timers.reset()
    mock.restoreAll()
  })

  for (const { row, held, says, expected } of [
    { row: 'not after a connection of one ms below 10 s', held: 9999, says: null, expected: 1998 },
    { row: 'after a connection of 10 s', held: 10_000, says: null, expected: 499.5 },
    {
      row: 'not after a message: a server may greet before it closes',
      held: 0,
      says: { type: 'chat' },
      expected: 1998,
    },
    { row: 'not after a message of one ms below 10 s', held: 9999, says: { type: 'chat' }, expected: 1998 },
    { row: 'not after an error reply', held: 0, says: { type: 'error', code: 'SALLY_MESSAGE_TYPE' }, expected: 1998 },
    { row: 'not after noise', held: 0, says: 'noise', expected: 1998 },
  ])
    it(row, async () => {
      const { WebSocket, made } = fakeSockets()
      const connection = connect('wss://app.company.com/ws', { ticket: false, WebSocket })
      const waits: number[] = []
      connection.when('retry', ({ delayMs }) => waits.push(delayMs))
      await settle()
      for (let times = 0; times < 2; times++) {
        made.at(-1)?.end(1006)
        mock.timers.tick(30_000)
        await settle()
      }
      made.at(-1)?.accept()
      mock.timers.tick(held)
      if (says) made.at(-1)?.say(says)
      made.at(-1)?.end(1006)
      assert.equal(waits.at(-1), expected)
      connection.close()
    })

  it('a server that greets each connection before it closes it is dialled less and less', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = connect('wss://app.company.com/ws', { ticket: false, WebSocket })
    await settle()
    for (let passed = 0; passed < 12_000; passed += 50) {
      const socket = made.at(-1)
      if (socket?.readyState === 0) {
        socket.accept('sallyport.v1')
        socket.say({ type: 'welcome' })
        socket.end(1006)
      }
      mock.timers.tick(50)
      await settle()
    }
    // Waits of 0.5, 1, 2, 4 and 8 s.
    assert.ok(made.length <= 6, `${made.length} dials in 12 s`)
    connection.close()
  })
})
