import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { createLookupLine } from '../../src/session/lookup-line.ts'
import type { Waiting } from '../../src/session/lookup-networks.ts'
import { LookupRefused, type Question } from '../../src/session/lookup-question.ts'
import { createLookupQueue, type LookupQueue } from '../../src/session/lookup-queue.ts'
import { runtimeAt } from '../support/runtime.ts'

interface Scene {
  readonly queue: LookupQueue
  /** Names of the look-ups that run, in the order in which they began. */
  readonly begun: string[]
  readonly faults: Map<string, string>
  readonly answered: string[]
  ask(name: string, question?: Partial<Question<string | null>>): void
  /** Answers a running look-up. */
  answer(name: string, found?: string | null): Promise<void>
  pass(ms: number): Promise<void>
}

function createScene({
  random = Math.random,
  ...options
}: {
  strangers?: { perSecond: number; burst: number }
  random?: () => number
} = {}): Scene {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
  const queue = createLookupQueue({ lookMs: 5000, runtime: { ...runtimeAt(Date.now), random }, ...options })
  const begun: string[] = []
  const faults = new Map<string, string>()
  const answered: string[] = []
  const running = new Map<string, (found: string | null) => void>()
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
  return {
    queue,
    begun,
    faults,
    answered,
    ask(name, question = {}) {
      const look = (): Promise<string | null> => {
        begun.push(name)
        return new Promise(resolve => running.set(name, resolve))
      }
      const fail = (error: unknown): void => void faults.set(name, (error as LookupRefused).fault ?? String(error))
      try {
        void Promise.resolve(
          queue.ask<string | null>({
            ip: '192.0.2.1',
            standing: 'stranger',
            key: null,
            look,
            failed: found => found === null,
            ...question,
          }),
        ).then(() => answered.push(name), fail)
      } catch (error) {
        fail(error)
      }
    },
    async answer(name, found = 'ann') {
      running.get(name)!(found)
      running.delete(name)
      await settle()
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= 10) {
        mock.timers.tick(Math.min(10, left))
        await settle()
      }
    },
  }
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => prefix + index)
test.afterEach(() => mock.timers.reset())

test('a look-up that answers at once is answered at once', () => {
  const { queue } = createScene()
  const question = { ip: '192.0.2.1', key: 'a', look: () => 'ann', failed: () => false }
  for (const standing of ['known', 'stranger'] as const) assert.equal(queue.ask({ ...question, standing }), 'ann')
  assert.equal(queue.running, 0)
})

test('what a look-up throws is thrown, at once or by promise, and its slot is given back', async () => {
  const { queue } = createScene()
  const down = new Error('down')
  const question = { ip: '192.0.2.1', standing: 'stranger', key: 'a', failed: () => false } as const
  const fails = (): never => {
    throw down
  }
  assert.throws(() => void queue.ask({ ...question, look: fails }), down)
  await assert.rejects(async () => queue.ask({ ...question, look: async () => fails() }), down)
  assert.equal(queue.running, 0)
})

test('one address has 16 look-ups at once; the next begins when one ends', async () => {
  const { ask, begun, answer, queue } = createScene()
  for (const name of names('a', 17)) ask(name)
  assert.equal(begun.length, 16)
  assert.equal(queue.waiting, 1)
  await answer('a3')
  assert.equal(begun.length, 17)
})

test('one address has 256 places: a flood is refused at random, and neither pushes all others out nor is bounded by age alone', async () => {
  const { ask, faults, queue } = createScene()
  for (const name of names('a', 16 + 256)) ask(name)
  assert.equal(faults.size, 0)
  for (const name of names('b', 256)) ask(name)
  assert.equal(queue.waiting, 256)
  assert.equal(faults.size, 0)
  await Promise.resolve()
  await Promise.resolve()
  assert.equal(faults.size, 256)
  const kinds = new Set(Array.from(faults.keys(), name => name[0]))
  assert.equal(kinds.size, 2, 'both lose some')
  assert.ok([...faults.values()].every(fault => fault === 'full'))
})

test('an office whose address somebody guesses from: below three quarters of the places nobody is passed over', async () => {
  const { queue, begun, faults, ask, answer, pass } = createScene()
  // 150 come at once, while 100 guesses a second fail: as many as the rate lets fail.
  for (let nth = 0; nth < 150; nth++) ask(`honest ${nth}`)
  let guesses = 0
  for (let tick = 0; tick < 400; tick++) {
    ask(`guess ${guesses++}`)
    for (const name of begun.splice(0)) await answer(name, name.startsWith('honest') ? 'ann' : null)
    await pass(10)
  }
  assert.deepEqual(
    [...faults.keys()].filter(name => name.startsWith('honest')),
    [],
  )
  assert.ok(queue.waiting < 192, `${queue.waiting} wait`)
})

test('who is next is the first that came, and one at random where three quarters of the places are taken', () => {
  const picks = (count: number): number[] => {
    const [smallest] = [{ places: 256, atOnce: Infinity, perSecond: Infinity, burst: Infinity }]
    const line = createLookupLine({
      root: smallest!,
      levels: [smallest!],
      waitMs: 5000,
      atRandom: true,
      random: () => 0.999,
    })
    const picked: number[] = []
    for (let nth = 0; nth < count; nth++) {
      line.add({ since: nth, networks: ['one'], begin: () => picked.push(nth), refuse: () => undefined })
    }
    for (let nth = 0; nth < 3; nth++) line.next(0)?.begin()
    return picked
  }
  assert.deepEqual(picks(191), [0, 1, 2])
  assert.deepEqual(picks(192), [191, 0, 1])
})

test('a place is held for 5 s', async () => {
  const { ask, faults, pass } = createScene()
  for (const name of names('a', 16)) ask(name)
  ask('late')
  await pass(4980)
  assert.equal(faults.size, 0)
  await pass(40)
  assert.equal(faults.get('late'), 'late')
})

test('a look-up that takes too long is refused, and its slot goes to the next', async () => {
  const { ask, begun, faults, pass } = createScene()
  for (const name of names('a', 16)) ask(name)
  await pass(2000)
  ask('next')
  await pass(3010)
  assert.equal(faults.get('a0'), 'timeout')
  assert.ok(begun.includes('next'))
})

test('guessed credentials at any rate are looked up 100 times a second from one address, and no more', async () => {
  const { queue, pass } = createScene()
  let looked = 0
  let count = 0
  const flood = async (seconds: number): Promise<void> => {
    for (let step = 0; step < seconds * 100; step++) {
      for (let nth = 0; nth < 10; nth++) {
        try {
          const answer = queue.ask({
            ip: '192.0.2.1',
            standing: 'stranger',
            key: `guess ${count++}`,
            look: () => {
              looked++
              return null
            },
            failed: found => found === null,
          })
          if (answer instanceof Promise) answer.catch(() => undefined)
        } catch {
          // Refused.
        }
      }
      await pass(10)
    }
  }
  await flood(2)
  looked = 0
  await flood(10)
  assert.ok(looked >= 950 && looked <= 1050, `${looked} look-ups in 10 s`)
})

for (const [what, hostile, honest] of [
  ['addresses', (n: number) => `198.51.100.${n % 200}`, '192.0.2.9'],
  ['/64s of one /56', (n: number) => `2001:db8:0:${(n % 200).toString(16)}::1`, '2001:db8:1::1'],
  ['/64s of one /48', (n: number) => `2001:db8:5:${(n % 50_000).toString(16)}::1`, '2001:db8:6::1'],
] as const) {
  test(`a flood from many ${what} does not keep another address waiting behind it`, async () => {
    const { ask, begun, answer, faults, queue } = createScene()
    for (let index = 0; index < 20_000; index++) ask(`x${index}`, { ip: hostile(index) })
    const first = begun.length
    assert.ok(queue.running <= 48, String(queue.running))
    ask('honest', { ip: honest })
    for (let turn = 0; turn < 260 && !begun.includes('honest'); turn++) await answer(begun[turn]!)
    assert.ok(begun.includes('honest'), `${begun.length - first} others came before`)
    assert.equal(faults.has('honest'), false)
  })
}

test('one /48 gets no more at once, and no more places, by using many of its /64s', () => {
  const { ask, begun, queue } = createScene()
  for (let index = 0; index < 60_000; index++) ask(`x${index}`, { ip: `2001:db8:0:${index.toString(16)}::1` })
  assert.ok(begun.length <= 40, String(begun.length))
  assert.ok(queue.waiting <= 1024, String(queue.waiting))
})

test('addresses that fill all places there are make room for one that holds fewer', async () => {
  const { ask, faults, queue } = createScene()
  for (let ip = 1; ip <= 200; ip++) for (const name of names(`${ip}-`, 300)) ask(name, { ip: `198.51.100.${ip}` })
  assert.equal(queue.waiting, 16_384)
  for (const name of names('office', 50)) ask(name, { ip: '192.0.2.9' })
  await Promise.resolve()
  assert.equal(names('office', 50).filter(name => faults.has(name)).length, 0)
  assert.equal(queue.waiting, 16_384)
})

test('strangers whose look-ups hang leave slots for known users, who come first when one is free', async () => {
  const { ask, begun, answer } = createScene()
  for (let ip = 1; ip <= 100; ip++) for (const name of names(`${ip}-`, 16)) ask(name, { ip: `198.51.100.${ip}` })
  assert.equal(begun.length, 48)
  for (const name of names('known', 20)) ask(name, { standing: 'known' })
  assert.equal(begun.length, 64)
  await answer('1-0')
  assert.equal(begun.at(-1), 'known16')
})

test('known users whose look-ups hang leave slots for strangers', () => {
  const { ask, begun } = createScene()
  for (const name of names('known', 500)) ask(name, { standing: 'known' })
  for (const name of names('open', 500)) ask(name, { standing: 'open' })
  assert.equal(begun.length, 56)
  ask('stranger')
  assert.equal(begun.at(-1), 'stranger')
})

test('re-checks alone take 52 slots, so that thousands are answered within a grace; 4 are kept for known users', () => {
  const { ask, begun } = createScene()
  for (const name of names('open', 500)) ask(name, { standing: 'open' })
  assert.equal(begun.length, 52)
  for (const name of names('known', 5)) ask(name, { standing: 'known' })
  assert.deepEqual(begun.slice(52), names('known', 4))
})

test('5 000 re-checks of known users wait for as long as it takes, in order, and none is refused', async () => {
  const { ask, begun, answer, faults, pass } = createScene()
  for (const name of names('known', 5000)) ask(name, { standing: 'open', ip: '192.0.2.1' })
  await pass(4000)
  for (let nth = 0; nth < 5000; nth++) await answer(begun[nth]!)
  assert.equal(begun.length, 5000)
  assert.equal(faults.size, 0)
  assert.deepEqual(begun.slice(0, 100), names('known', 100))
})

test('known users of many addresses take turns: an office that asks much delays nobody else', async () => {
  const { ask, begun, answer } = createScene()
  for (const name of names('office', 500)) ask(name, { standing: 'known', ip: '192.0.2.1' })
  ask('ann', { standing: 'known', ip: '192.0.2.2' })
  await answer('office0')
  await answer('office1')
  assert.ok(begun.includes('ann'))
})

test('questions with one key at the same time are one look-up, also while it waits; afterwards it is a new one', async () => {
  const { ask, begun, answer, answered } = createScene()
  for (const name of names('a', 20)) ask(name, { key: 'k' })
  assert.deepEqual(begun, ['a0'])
  await answer('a0')
  assert.deepEqual(answered.toSorted(), names('a', 20).toSorted())
  ask('b', { key: 'k' })
  assert.deepEqual(begun, ['a0', 'b'])
})

test('look-ups can be shared until they are known to answer at once, and for ever once one took time', async () => {
  const { queue } = createScene()
  const question = { ip: '192.0.2.1', standing: 'stranger', key: null, failed: () => false } as const
  assert.equal(queue.sharing, true)
  void queue.ask({ ...question, look: () => null })
  assert.equal(queue.sharing, false)
  await queue.ask({ ...question, look: async () => 'ann' })
  void queue.ask({ ...question, look: () => null })
  assert.equal(queue.sharing, true, 'a resolver that answers at once where there is no cookie')
})

test('a known user does not wait with a stranger who asks by the same key', () => {
  const { ask, begun } = createScene()
  for (const name of names('a', 16)) ask(name)
  ask('stranger', { key: 'k' })
  ask('known', { key: 'k', standing: 'known' })
  assert.ok(begun.includes('known') && !begun.includes('stranger'))
})

test('one credential that is replayed a thousand times holds no more than 256 questions', async () => {
  const { ask, faults, begun } = createScene()
  for (const name of names('a', 1000)) ask(name, { key: 'k' })
  assert.equal(begun.length, 1)
  assert.equal(faults.size, 1000 - 257)
})

test('a look-up that nobody waits for any more is skipped, and costs nothing', async () => {
  const { ask, begun, answer, faults } = createScene()
  for (const name of names('a', 16)) ask(name)
  ask('gone', { wanted: () => false })
  ask('gone too', { wanted: () => false, key: 'k' })
  ask('here', { key: 'k' })
  await answer('a0')
  await answer('a1')
  assert.equal(faults.get('gone'), 'abandoned')
  // Somebody else waits for the same answer.
  assert.ok(begun.includes('gone too'))
})

test('a bound for strangers in all is a pace, shared out fairly: it refuses nobody at once and holds up no known user', async () => {
  const { ask, begun, answer, pass } = createScene({ strangers: { perSecond: 10, burst: 10 } })
  for (let index = 0; index < 100; index++) ask(`x${index}`, { ip: `198.51.100.${index % 4}` })
  for (const name of begun) await answer(name)
  const first = begun.length
  assert.ok(first >= 10 && first <= 30, String(first))
  ask('ann', { ip: '192.0.2.9' })
  ask('known', { ip: '192.0.2.9', standing: 'known' })
  assert.equal(begun.at(-1), 'known')
  await pass(1000)
  assert.ok(begun.includes('ann'))
})

test('a refusal says when to come back, and not the same to everybody', () => {
  const { queue } = createScene()
  const waits: number[] = []
  for (let nth = 0; nth < 40; nth++) waits.push(new LookupRefused('full', nth).retryAfterMs)
  const look = (): Promise<string> => new Promise(() => {})
  const told = new Set<number>()
  for (let nth = 0; nth < 300; nth++) {
    try {
      void queue.ask({ ip: '192.0.2.1', standing: 'stranger', key: 'one', look, failed: () => false })
    } catch (error) {
      told.add((error as LookupRefused).retryAfterMs)
    }
  }
  assert.ok(told.size > 10 && [...told].every(ms => ms >= 1000 && ms <= 5000), [...told].join())
})

test('attack: after renew() nobody joins a look-up from before it, and those who joined are answered', async () => {
  const { ask, answer, answered, begun, faults, queue, pass } = createScene()
  ask('first', { key: 'k' })
  ask('joined', { key: 'k' })
  queue.renew()
  ask('later', { key: 'k' })
  ask('later too', { key: 'k' })
  assert.deepEqual(begun, ['first', 'later'])
  await answer('first')
  ask('last', { key: 'k' })
  assert.deepEqual(begun, ['first', 'later'])
  await answer('later')
  assert.deepEqual(answered, ['first', 'joined', 'later', 'later too', 'last'])
  // One that still waits has followers, and is made for them after its own client has left.
  for (let nth = 0; nth < 16; nth++) ask(`full ${nth}`)
  ask('gone', { key: 'g', wanted: () => false })
  ask('follower', { key: 'g' })
  queue.renew()
  await answer('full 0')
  await pass(10)
  await answer('gone')
  assert.ok(answered.includes('follower'))
  assert.deepEqual([...faults], [])
})

for (const [what, ipOf] of [
  [
    '17 networks of /48, one place for each /64',
    (nth: number) => `2001:db8:${(nth % 17).toString(16)}:${Math.floor(nth / 17).toString(16)}::1`,
  ],
  ['70 networks of /48, all in one /64 each', (nth: number) => `2001:db8:${(nth % 70).toString(16)}::1`],
  ['300 IPv4 addresses', (nth: number) => `10.0.${nth % 3}.${Math.floor(nth / 3) % 100}`],
] as const) {
  test(`attack: who takes all places from ${what} gives one up for somebody of elsewhere`, () => {
    const { ask, faults, queue } = createScene()
    for (let nth = 0; nth < 17_408; nth++) ask(`stranger ${nth}`, { ip: ipOf(nth) })
    assert.ok(queue.waiting > 16_000, String(queue.waiting))
    const others = names('192.0.2.', 100).concat(names('2001:db8:ff', 10).map(prefix => `${prefix}::1`))
    for (const ip of others) {
      ask(ip, { ip })
      assert.equal(faults.get(ip), undefined)
    }
  })
}

test('attack: networks that lost their place are forgotten: 70 000 of them leave room for somebody else', () => {
  const limits = { places: 4, atOnce: 1, perSecond: Infinity, burst: Infinity }
  const line = createLookupLine({
    root: limits,
    levels: [limits, limits],
    waitMs: 5000,
    atRandom: true,
    random: Math.random,
  })
  const waiting = (since: number, networks: readonly string[]): Waiting => ({
    since,
    networks,
    begin: () => undefined,
    refuse: () => undefined,
  })
  for (let round = 0; round < 23_400; round++) {
    const now = round * 10_000
    for (let nth = 0; nth < 4; nth++) line.add(waiting(now, [`${round}.${nth}`, `${round}`]))
    for (let nth = 0; nth < 3; nth++) {
      const newcomer = waiting(now, [`other ${nth} of ${round}`, `other ${nth}`])
      assert.notEqual(line.add(newcomer), newcomer, `round ${round}`)
    }
    line.overdue(now + 5000)
  }
})

test('honest: 5 000 re-checks after a reload keep no known user waiting, from whatever address', () => {
  const { ask, begun, queue } = createScene()
  for (const [nth, name] of names('open', 5000).entries())
    ask(name, { standing: 'open', ip: `10.0.${nth >> 8}.${nth & 255}` })
  ask('ann', { standing: 'known', ip: '192.0.2.2' })
  ask('bob', { standing: 'known', ip: '10.0.0.7' })
  assert.deepEqual(begun.slice(-2), ['ann', 'bob'])
  assert.ok(queue.waiting > 4900)
})

test('attack: known users whose look-ups hang, and strangers too, leave slots for re-checks', async () => {
  const { ask, begun, answer, pass } = createScene()
  for (const [nth, name] of names('stranger', 500).entries()) ask(name, { ip: `10.0.0.${nth % 250}` })
  for (const name of names('known', 500)) ask(name, { standing: 'known' })
  for (const name of names('open', 20)) ask(name, { standing: 'open' })
  for (let nth = 0; nth < 16; nth++) {
    await answer(`known${nth}`)
    await pass(10)
  }
  assert.ok(begun.filter(name => name.startsWith('open')).length >= 8, begun.slice(60).join())
})
