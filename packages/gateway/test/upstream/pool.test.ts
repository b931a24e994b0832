import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { evidenceOf, failure } from '../../src/upstream/failure.ts'
import { DEAD, picked, poolOf, settled } from '../support/pool-bench.ts'

const UNREACHABLE = failure('GATEWAY_UPSTREAM_UNREACHABLE', 'ECONNREFUSED')

describe('whose turn it is', () => {
  test('round robin: one after the other', () => {
    assert.equal(picked(poolOf({}).pool, 7), 'abcabca')
  })

  test('least connections: who has the fewest, and of equals one after the other', () => {
    const { pool } = poolOf({ balance: 'least-connections' })
    assert.equal(picked(pool, 6), 'abcabc')
    pool.targets[0]!.open = 2
    pool.targets[1]!.open = 1
    pool.targets[2]!.open = 1
    assert.deepEqual(new Set(picked(pool, 4)), new Set('bc'))
    pool.targets[2]!.open = 0
    assert.equal(picked(pool, 3), 'ccc')
  })

  test('round robin passes over who is down, and takes nobody else’s turn', () => {
    const { pool } = poolOf({})
    pool.targets[1]!.answers = false
    assert.equal(picked(pool, 4), 'acac')
  })
})

describe('a backend that takes no connection is passed over', () => {
  for (const failures of [1, 2, 3]) {
    test(`after ${failures} in a row, and until its time is over`, () => {
      const { pool, clock, told } = poolOf({ failures, ejectMs: 500 }, 'ab')
      const [target] = pool.targets
      for (let failed = 1; failed < failures; failed++) pool.report(target!, UNREACHABLE)
      assert.equal(picked(pool, 2), 'ab')
      pool.report(target!, UNREACHABLE)
      assert.equal(picked(pool, 2), 'bb')
      assert.equal(target!.reason, 'ECONNREFUSED')
      clock.now += 499
      assert.equal(picked(pool, 2), 'bb')
      clock.now += 1
      assert.equal(picked(pool, 2), 'ab')
      assert.deepEqual(told, ['the backend is passed over'])
      pool.stop()
    })
  }

  test('one that answers in between begins again', () => {
    const { pool, told } = poolOf({ failures: 2 }, 'ab')
    const [target] = pool.targets
    for (let round = 0; round < 3; round++) {
      pool.report(target!, UNREACHABLE)
      pool.report(target!, null)
    }
    assert.equal(picked(pool, 2), 'ab')
    assert.deepEqual(told, Array(3).fill('the backend answers again'))
  })

  test('it is probed meanwhile, and serves again once it answers', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { pool, probed, found } = poolOf({ ejectMs: 60_000 }, 'ab')
    found['a'] = DEAD
    pool.report(pool.targets[0]!, UNREACHABLE)
    for (const pause of [1000, 2000, 4000]) {
      t.mock.timers.tick(pause)
      await settled()
    }
    assert.deepEqual([picked(pool, 2), probed.join('')], ['bb', 'aaa'])
    found['a'] = null
    t.mock.timers.tick(8000)
    await settled()
    assert.equal(picked(pool, 2), 'ab')
    t.mock.timers.tick(600_000)
    assert.equal(probed.join(''), 'aaaa')
  })
})

describe('the last backend is never passed over', () => {
  for (const names of ['a', 'ab', 'abc']) {
    test(`of ${names.length}: it is probed at once, reported once, and still tried`, async () => {
      const { pool, told, probed, found } = poolOf({}, names)
      for (const name of names) found[name] = DEAD
      for (let round = 0; round < 3; round++) for (const target of pool.targets) pool.report(target, UNREACHABLE)
      const last = names.at(-1)!
      assert.equal(picked(pool, 3), last.repeat(3))
      assert.equal(probed[0], last)
      await settled()
      assert.equal(picked(pool, 3), last.repeat(3))
      const passedOver: string[] = Array(names.length - 1).fill('the backend is passed over')
      assert.deepEqual(told, [...passedOver, 'the last backend fails; it is tried all the same'])
      assert.equal(pool.targets.at(-1)!.isHealthy(1_700_000_000_000), false)
      pool.stop()
    })
  }

  test('it comes after one whose time is over', () => {
    const { pool, clock } = poolOf({ ejectMs: 500 }, 'ab')
    for (const target of pool.targets) pool.report(target, UNREACHABLE)
    clock.now += 500
    assert.equal(picked(pool, 3), 'aaa')
    pool.stop()
  })

  test('one that fails its health check does not count as another', () => {
    const { pool } = poolOf({}, 'ab')
    pool.targets[1]!.answers = false
    pool.report(pool.targets[0]!, UNREACHABLE)
    assert.equal(picked(pool, 2), 'aa')
    pool.stop()
  })
})

describe('what a visitor can bring about is no proof against a backend', () => {
  for (const status of [200, 302, 400, 401, 403, 404, 426, 429, 500, 502, 503, 504]) {
    test(`an answer of ${status}: it lives, and nobody asks further`, () => {
      const { pool, probed } = poolOf({}, 'ab')
      const refused = failure('GATEWAY_UPSTREAM_REFUSED', `${status}`, { status, answered: status })
      for (let round = 0; round < 5; round++) pool.report(pool.targets[0]!, refused)
      assert.deepEqual([picked(pool, 2), probed], ['ab', []])
    })
  }

  for (const code of ['GATEWAY_UPSTREAM_TIMEOUT', 'GATEWAY_UPSTREAM_BROKEN'] as const) {
    test(`${code}: one probe, which finds life`, async () => {
      const { pool, probed, clock } = poolOf({}, 'ab')
      for (let round = 0; round < 50; round++) pool.report(pool.targets[0]!, failure(code, 'of no use'))
      assert.equal(picked(pool, 2), 'ab')
      await settled()
      assert.deepEqual([picked(pool, 2), probed], ['ab', ['a']])
      pool.report(pool.targets[0]!, failure(code, 'of no use'))
      assert.equal(probed.length, 1)
      clock.now += 1000
      pool.report(pool.targets[0]!, failure(code, 'of no use'))
      assert.equal(probed.length, 2)
    })

    test(`${code}: the probe fails: passed over, for that`, async () => {
      const { pool, found } = poolOf({}, 'ab')
      found['a'] = DEAD
      pool.report(pool.targets[0]!, failure(code, 'of no use'))
      assert.equal(picked(pool, 2), 'ab')
      await settled()
      assert.equal(picked(pool, 2), 'bb')
      assert.equal(pool.targets[0]!.reason, 'probe: no answer within 5000 ms')
      pool.stop()
    })

    test(`${code}: the probe fails, but somebody got an answer meanwhile`, async () => {
      const { pool, found } = poolOf({}, 'ab')
      found['a'] = DEAD
      pool.report(pool.targets[0]!, failure(code, 'of no use'))
      pool.report(pool.targets[0]!, null)
      await settled()
      assert.equal(picked(pool, 2), 'ab')
    })

    test(`${code}: the probe fails by the gateway's own fault`, async () => {
      const { pool, found } = poolOf({}, 'ab')
      found['a'] = { reason: 'EMFILE', own: true }
      pool.report(pool.targets[0]!, failure(code, 'of no use'))
      await settled()
      assert.equal(picked(pool, 2), 'ab')
    })
  }

  test('a client that left, or a gateway without descriptors: nothing follows', () => {
    const { pool, probed } = poolOf({}, 'ab')
    for (let round = 0; round < 9; round++) {
      pool.report(pool.targets[0]!, failure('GATEWAY_UPSTREAM_NONE', 'the client left meanwhile'))
      pool.report(pool.targets[0]!, failure('GATEWAY_UPSTREAM_UNREACHABLE', 'EMFILE', { evidence: 'nothing' }))
    }
    assert.deepEqual([picked(pool, 2), probed], ['ab', []])
  })
})

describe('what an error says about a target', () => {
  const errors = (...codes: string[]): NodeJS.ErrnoException =>
    codes.length === 1
      ? Object.assign(new Error(codes[0]), { code: codes[0] })
      : Object.assign(new AggregateError(codes.map(code => errors(code))), { code: codes[0] })
  const rows: readonly [codes: readonly string[], connected: boolean, evidence: string][] = [
    [['ECONNREFUSED'], false, 'unreachable'],
    [['ETIMEDOUT'], false, 'unreachable'],
    [['EHOSTUNREACH'], false, 'unreachable'],
    [['ENOENT'], false, 'unreachable'],
    [['ENOTFOUND'], false, 'unreachable'],
    [['ECONNREFUSED', 'ECONNREFUSED'], false, 'unreachable'],
    [['ENETUNREACH', 'ECONNREFUSED'], false, 'unreachable'],
    [['EMFILE'], false, 'nothing'],
    [['ENFILE'], false, 'nothing'],
    [['EADDRNOTAVAIL'], false, 'nothing'],
    [['ENOBUFS'], false, 'nothing'],
    [['ENOMEM'], false, 'nothing'],
    [['ENETUNREACH'], false, 'nothing'],
    [['EAI_AGAIN'], false, 'nothing'],
    [['EAGAIN'], false, 'nothing'],
    [['EMFILE', 'EMFILE'], false, 'nothing'],
    [['EMFILE', 'ECONNREFUSED'], false, 'doubt'],
    [['ECONNRESET'], true, 'doubt'],
    [['ETIMEDOUT'], true, 'doubt'],
    [['DEPTH_ZERO_SELF_SIGNED_CERT'], true, 'doubt'],
    [['HPE_INVALID_CONSTANT'], true, 'doubt'],
    [['ENOBUFS'], true, 'nothing'],
  ]
  for (const [codes, connected, evidence] of rows) {
    test(`${codes.join(' and ')} ${connected ? 'once connected' : 'before'}: ${evidence}`, () => {
      assert.equal(evidenceOf(errors(...codes), connected), evidence)
    })
  }
})
