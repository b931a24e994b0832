import assert from 'node:assert/strict'
import { denialRow, sentenceOf } from '../../src/policy/denials.ts'
import { setImmediate } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { createEvents } from '../../src/event/emit.ts'
import type { Logger } from '../../src/model/event.ts'
import { event, subject } from './facts.ts'
import { runtimeAt } from '../support/runtime.ts'

const setUp = (withLog = false) => {
  const lines: string[] = []
  const write = (_fields: object, message: string): void => {
    lines.push(message)
  }
  const log: Logger = { info: write, warn: write, error: write }
  const events = createEvents({
    denials: { rowOf: denialRow, sentenceOf },
    policy: { log: withLog ? log : null, hashKey: 'key', windowMs: 10_000 },
    name: 'app',
    runtime: runtimeAt(() => 0),
  })
  return { events, lines }
}

describe('events', () => {
  it('reach every listener until it unsubscribes', () => {
    const { events } = setUp()
    const heard: string[] = []
    const off = events.on(({ kind }) => heard.push(`one ${kind}`))
    events.on(({ kind }) => heard.push(`two ${kind}`))
    events.emit(event())
    off()
    off()
    events.emit(event())
    assert.deepEqual(heard, ['one denial', 'two denial', 'two denial'])
  })

  it('a kind of event where the listener is meant is an error, and nobody listens', () => {
    const { events } = setUp()
    const on = events.on as (kind: unknown, listener?: () => void) => void
    for (const kind of ['denial', undefined, null, {}]) assert.throws(() => on(kind, () => {}), /the listener alone/)
    assert.equal(events.listening, false)
  })

  it('listening says whether anything need be built', () => {
    const { events } = setUp()
    assert.equal(events.listening, false)
    const off = events.on(() => {})
    assert.equal(events.listening, true)
    off()
    assert.equal(events.listening, false)
    assert.equal(setUp(true).events.listening, true)
  })

  for (const { row, listener } of [
    {
      row: 'throws',
      listener: (): void => {
        throw new Error('broken')
      },
    },
    {
      row: 'rejects',
      listener: async (): Promise<void> => {
        throw new Error('broken')
      },
    },
  ])
    it(`a listener that ${row} keeps nothing from the others; it is counted and logged once`, async () => {
      const { events, lines } = setUp(true)
      let heard = 0
      // oxlint-disable-next-line typescript/no-misused-promises -- the mistake that is tested
      events.on(listener)
      events.on(() => heard++)
      for (let times = 0; times < 3; times++) events.emit(event())
      await setImmediate()
      assert.equal(heard, 3)
      assert.equal(events.counters.snapshot().listenerFailures, 3)
      assert.equal(lines.filter(line => line.startsWith('a listener')).length, 1)
    })

  for (const [row, listener, what] of [
    ['nothing', undefined, 'nothing'],
    ['null', null, 'null'],
    ['the name of an event', 'denial', 'a string'],
    ['an object', { denial() {} }, 'an object'],
  ] as const)
    it(`${row} as a listener is an error that says what to write`, () => {
      assert.throws(() => setUp().events.on(listener as never), {
        name: 'TypeError',
        message: `guard.on takes the listener alone, for every kind of event, not ${what}; write guard.on(event => …)`,
      })
    })

  it('a listener that unsubscribes or subscribes while called breaks nothing', () => {
    const { events } = setUp()
    let heard = 0
    const off = events.on(() => {
      off()
      heard++
    })
    events.on(() => heard++)
    events.emit(event())
    events.emit(event())
    assert.equal(heard, 3)
  })

  it('flush tells the log what was only counted', () => {
    const { events, lines } = setUp(true)
    for (let times = 0; times < 3; times++) events.emit(events.describe.describeOpen(subject))
    assert.equal(lines.length, 1)
    events.flush()
    assert.equal(lines.length, 2)
  })

  it('without a log flush does nothing', () => {
    assert.doesNotThrow(() => setUp().events.flush())
  })
})
