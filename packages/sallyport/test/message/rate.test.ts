import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { cost, rate } from '../../src/controls/message/rate.ts'
import type { MessageRateSection } from '../../src/controls/message/rate-budgets.ts'
import type { Taken } from '../../src/model/store.ts'
import { atOnce, codeOf, connectionOf, parsed, partsWith, perMinute, policyWith, textOf } from './door-fixtures.ts'
import type { TakeCall } from './door-fixtures.ts'

const DEFAULTS: MessageRateSection = {
  messages: { amount: 60, perMs: 60_000, burst: 3 },
  bytes: { amount: 60_000, perMs: 60_000, burst: 1000 },
  perUser: perMinute(1000),
  perIp: perMinute(1000),
  cost: {},
  exceed: 'close',
}

function door(change: Partial<MessageRateSection> = {}, answer?: (call: TakeCall) => Taken | Promise<Taken>) {
  const policy = policyWith({ rate: { ...DEFAULTS, ...change } })
  const { parts, calls, clock } = partsWith(answer)
  return {
    calls,
    clock,
    first: rate.compile(policy, parts)!,
    second: cost.compile(policy, parts),
    connection: connectionOf(),
  }
}

const spent: Taken = { ok: false, retryAfterMs: 1500 }
const typed = (type: string) => Object.assign(parsed({ type }), { type })

test('off: nothing is compiled', () => {
  const policy = policyWith({ rate: null })
  assert.equal(rate.compile(policy, partsWith().parts), null)
  assert.equal(cost.compile(policy, partsWith().parts), null)
  assert.equal(cost.compile(policyWith(), partsWith().parts), null, 'no type costs other than 1')
})

test('messages: the burst passes, one more does not, and the budget refills evenly', () => {
  const { first, connection, clock } = door()
  const send = () => codeOf(atOnce(first(textOf('x'), connection)))
  assert.deepEqual([send(), send(), send(), send()], ['PASS', 'PASS', 'PASS', 'SALLY_MESSAGE_RATE'])
  clock.now += 999
  assert.equal(send(), 'SALLY_MESSAGE_RATE')
  clock.now += 1
  assert.deepEqual([send(), send()], ['PASS', 'SALLY_MESSAGE_RATE'])
})

test('a budget that divides badly gives its whole burst, at times of our days', () => {
  for (const amount of [7, 9, 11, 13, 14, 17, 997]) {
    const { first, connection, clock } = door({ messages: perMinute(amount) })
    clock.now = 1_795_000_000_123
    const codes = Array.from({ length: amount + 1 }, () => codeOf(atOnce(first(textOf('x', 0), connection))))
    assert.equal(codes.lastIndexOf('PASS'), amount - 1)
    assert.equal(codes.indexOf('SALLY_MESSAGE_RATE'), amount)
  }
})

test('a denial says when: fractions of seconds', () => {
  const { first, connection, clock } = door()
  for (let sent = 0; sent < 3; sent++) void first(textOf('x'), connection)
  clock.now += 250
  const verdict = atOnce(first(textOf('x'), connection))
  assert.equal(!verdict.pass && verdict.retryAfter, 0.75)
})

for (const [name, sizes, codes] of [
  ['bytes: at the burst', [1000], ['PASS']],
  ['bytes: at the burst in parts, then one more', [999, 1, 1], ['PASS', 'PASS', 'SALLY_MESSAGE_RATE']],
  ['bytes: a message above the burst passes alone and is owed', [1001, 1], ['PASS', 'SALLY_MESSAGE_RATE']],
  ['bytes: a message above the burst does not pass after another', [1, 1001], ['PASS', 'SALLY_MESSAGE_RATE']],
  ['bytes: a denied message takes nothing', [600, 600, 400], ['PASS', 'SALLY_MESSAGE_RATE', 'PASS']],
] as const) {
  test(name, () => {
    const { first, connection } = door()
    assert.deepEqual(
      sizes.map(bytes => codeOf(atOnce(first(textOf('x', bytes), connection)))),
      codes,
    )
  })
}

test('what is denied by bytes takes no message either', () => {
  const { first, connection } = door()
  void first(textOf('x', 1000), connection)
  const before = { ...connection }
  assert.equal(codeOf(atOnce(first(textOf('x', 10), connection))), 'SALLY_MESSAGE_RATE')
  assert.deepEqual(connection, before)
})

test('the shared budgets are those of the user and the IP', () => {
  const { first, connection, calls } = door()
  void first(textOf('x'), connection)
  assert.deepEqual(
    calls.map(({ key, cost: taken }) => [key, taken]),
    [
      ['message:user:ada', 1],
      ['message:ip:192.0.2.1', 1],
    ],
  )
})

test('attack: who changes the user of a connection spends the budget of the new one, and no more of the old one', () => {
  const { first, connection, calls } = door({ messages: perMinute(60) })
  const session = { id: 's1', user: 'ada' }
  Object.assign(connection, { session })
  const users = (): string[] => calls.splice(0).flatMap(({ key }) => (key.startsWith('message:user:') ? [key] : []))
  const send = () => first(textOf('x'), connection)
  void [send(), send()]
  assert.deepEqual(users(), ['message:user:ada', 'message:user:ada'])
  session.user = 'bob'
  void [send(), send()]
  assert.deepEqual(users(), ['message:user:bob', 'message:user:bob'], 'in the same object')
  Object.assign(connection, { session: { id: 's2', user: 'eve' } })
  void send()
  assert.deepEqual(users(), ['message:user:eve'], 'by another object')
})

test('attack: to change the user renews neither the budget of the connection nor that of the address', () => {
  const { first, connection, calls } = door()
  const codes = ['ada', 'bob', 'eve', 'ada'].map(user => {
    Object.assign(connection, { session: { id: 's1', user } })
    return codeOf(atOnce(first(textOf('x'), connection)))
  })
  assert.deepEqual(codes, ['PASS', 'PASS', 'PASS', 'SALLY_MESSAGE_RATE'])
  const ips = calls.filter(({ key }) => key === 'message:ip:192.0.2.1')
  assert.equal(ips.length, 3)
})

for (const whose of ['user', 'ip'] as const) {
  for (const later of [false, true]) {
    test(`the ${whose}'s budget is spent, ${later ? 'asynchronous' : 'synchronous'} store`, async () => {
      const { first, connection } = door({}, ({ key }) => {
        const taken = key.startsWith(`message:${whose}:`) ? spent : { ok: true, retryAfterMs: 0 }
        return later ? Promise.resolve(taken) : taken
      })
      const verdict = await first(textOf('x'), connection)
      assert.equal(codeOf(verdict), 'SALLY_MESSAGE_RATE_SHARED')
      assert.equal(!verdict.pass && verdict.retryAfter, 1.5)
    })
  }
}

test('a store that throws is not caught here: the runner denies', async () => {
  const throwing = door({}, () => {
    throw new Error('down')
  })
  assert.throws(() => throwing.first(textOf('x'), throwing.connection))
  const rejecting = door({}, () => Promise.reject(new Error('down')))
  await assert.rejects(async () => rejecting.first(textOf('x'), rejecting.connection))
})

test('drop: what the shared budget denies is spent on the connection, or a flood would be free', () => {
  const { first, connection, calls } = door({ exceed: 'drop' }, () => spent)
  const codes = [1, 2, 3, 4].map(() => codeOf(atOnce(first(textOf('x'), connection))))
  assert.deepEqual(codes, [...Array<string>(3).fill('SALLY_MESSAGE_RATE_SHARED'), 'SALLY_MESSAGE_RATE'])
  assert.equal(calls.length, 3)
})

test('delay: the message that comes again is not charged twice', () => {
  let ok = false
  const bytes = { amount: 6000, perMs: 60_000, burst: 1000 }
  const { first, connection } = door({ exceed: 'delay', bytes }, () => ({ ok, retryAfterMs: 10 }))
  for (let again = 0; again < 10; again++) {
    assert.equal(codeOf(atOnce(first(textOf('x', 500), connection))), 'SALLY_MESSAGE_RATE_SHARED')
  }
  ok = true
  assert.deepEqual(
    [1, 2, 3].map(() => codeOf(atOnce(first(textOf('x', 500), connection)))),
    ['PASS', 'PASS', 'SALLY_MESSAGE_RATE'],
  )
})

test('a type that costs 3 spends 3; unknown and inherited names cost 1', () => {
  const { first, second, connection, calls } = door({ cost: { search: 3 } })
  void first(textOf('x'), connection)
  assert.equal(codeOf(atOnce(second!(typed('toString'), connection))), 'PASS')
  assert.equal(codeOf(atOnce(second!(parsed('x'), connection))), 'PASS')
  assert.equal(calls.length, 2)
  const fresh = connectionOf()
  void first(textOf('x'), fresh)
  assert.equal(codeOf(atOnce(second!(typed('search'), fresh))), 'PASS')
  assert.deepEqual(
    calls.slice(4).map(({ cost: taken }) => taken),
    [2, 2],
  )
  assert.equal(codeOf(atOnce(first(textOf('x'), fresh))), 'SALLY_MESSAGE_RATE')
})

test('a type that costs 2 takes its second from the shared budgets as well', () => {
  const { first, second, connection, calls } = door({ cost: { search: 2 } })
  void first(textOf('x'), connection)
  calls.splice(0)
  void first(textOf('x'), connection)
  // What the burst of 3 still holds is just enough.
  assert.equal(codeOf(atOnce(second!(typed('search'), connection))), 'PASS')
  assert.deepEqual(
    calls.map(({ cost: taken }) => taken),
    [1, 1, 1, 1],
  )
})

for (const [name, message] of [
  ['of no declared cost', typed('chat')],
  ['of no type', parsed('x')],
] as const) {
  test(`a message ${name} gets nothing of its 1 back`, () => {
    const { first, second, connection } = door({ cost: { search: 3 } })
    const codes = [1, 2, 3, 4].map(() => {
      const code = codeOf(atOnce(first(textOf('x'), connection)))
      return code === 'PASS' ? codeOf(atOnce(second!(message, connection))) : code
    })
    assert.deepEqual(codes, ['PASS', 'PASS', 'PASS', 'SALLY_MESSAGE_RATE'])
  })
}

test('a type that costs more than is left is denied after the schema', () => {
  const { first, second, connection } = door({ cost: { search: 3 } })
  void first(textOf('x'), connection)
  void first(textOf('x'), connection)
  const verdict = atOnce(second!(typed('search'), connection))
  assert.equal(codeOf(verdict), 'SALLY_MESSAGE_RATE')
  assert.equal(!verdict.pass && verdict.retryAfter, 1)
})

test('close and drop: a flood of dear messages spends the 1 each, so that parsing stays bounded', () => {
  const { first, second, connection } = door({ cost: { search: 3 }, exceed: 'drop' })
  const codes = [1, 2, 3, 4].map(() => {
    const before = codeOf(atOnce(first(textOf('x'), connection)))
    return before === 'PASS' ? codeOf(atOnce(second!(typed('search'), connection))) : before
  })
  assert.deepEqual(codes, ['PASS', ...Array<string>(3).fill('SALLY_MESSAGE_RATE')])
})

test('delay: a dear message that is denied gives back its 1, and passes when the time has come', () => {
  const { first, second, connection, clock } = door({ cost: { search: 3 }, exceed: 'delay' })
  void first(textOf('x'), connection)
  const send = () => {
    void first(textOf('x'), connection)
    return atOnce(second!(typed('search'), connection))
  }
  const verdict = send()
  assert.equal(!verdict.pass && verdict.retryAfter, 1)
  assert.equal(!verdict.pass && send().pass, false)
  clock.now += 1000
  assert.equal(codeOf(send()), 'PASS')
})

test('delay: a dear message that a shared budget denies gives back all it took, and is not charged twice', () => {
  let ok = true
  const { first, second, connection } = door({ cost: { search: 3 }, exceed: 'delay' }, () => ({ ok, retryAfterMs: 10 }))
  const send = (sharedOk: boolean): string => {
    ok = true
    const code = codeOf(atOnce(first(textOf('x'), connection)))
    ok = sharedOk
    return code === 'PASS' ? codeOf(atOnce(second!(typed('search'), connection))) : code
  }
  for (let again = 0; again < 10; again++) assert.equal(send(false), 'SALLY_MESSAGE_RATE_SHARED')
  assert.deepEqual([send(true), send(true)], ['PASS', 'SALLY_MESSAGE_RATE'])
})

test('a cost above the burst passes on a full budget and is owed', () => {
  const { first, second, connection, clock } = door({ cost: { export: 10 } })
  void first(textOf('x'), connection)
  assert.equal(codeOf(atOnce(second!(typed('export'), connection))), 'PASS')
  clock.now += 7999
  assert.equal(codeOf(atOnce(first(textOf('x'), connection))), 'SALLY_MESSAGE_RATE')
  clock.now += 1
  assert.equal(codeOf(atOnce(first(textOf('x'), connection))), 'PASS')
})

test('a cost of 0 spends nothing of the connection', () => {
  const { first, second, connection } = door({ cost: { ping: 0 } })
  for (let sent = 0; sent < 50; sent++) {
    assert.equal(codeOf(atOnce(first(textOf('x'), connection))), 'PASS')
    assert.equal(codeOf(atOnce(second!(typed('ping'), connection))), 'PASS')
  }
})

test('property: whatever the times, no window holds more than the burst and what refills', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 }), gaps => {
      const { first, connection, clock } = door()
      const passed: number[] = []
      for (const gap of gaps) {
        clock.now += gap
        if (atOnce(first(textOf('x'), connection)).pass) passed.push(clock.now)
      }
      passed.forEach((from, start) => {
        passed.slice(start).forEach((to, more) => assert.ok(more + 1 <= 3 + (to - from) / 1000))
      })
    }),
  )
})
