import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rate, rateOfTicketRequest, rateOfUser } from '../../src/controls/handshake/rate.ts'
import type { Denial } from '../../src/model/verdict.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/model/store.ts'
import { type Asked, attemptOf, codeOf, compileControl, ORIGIN, partsOf, policyOf } from './door-fixtures.ts'

const policy = policyOf({
  rate: { perIp: { attempts: 3, per: '1 minute' }, total: { attempts: 5, per: '1 minute' } },
})
const awaited = (store: Store): Store => ({ ...store, take: async (...all) => store.take(...all) })

for (const [kind, wrap] of [
  ['at once', (store: Store) => store],
  ['by promise', awaited],
] as const) {
  test(`a store that answers ${kind}: below and at the budget of an address pass, above is refused`, async () => {
    const check = compileControl(rate, policy, partsOf(wrap(createMemoryStore())))
    const codes = []
    for (let index = 0; index < 4; index++) codes.push(codeOf(await check(attemptOf())))
    assert.deepEqual(codes, ['pass', 'pass', 'pass', 'SALLY_HANDSHAKE_RATE'])
    assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'pass')
  })

  test(`a store that answers ${kind}: the budget in all holds over addresses`, async () => {
    const check = compileControl(rate, policy, partsOf(wrap(createMemoryStore())))
    const codes = []
    for (let index = 0; index < 6; index++) codes.push(codeOf(await check(attemptOf({ ip: `192.0.2.${index}` }))))
    assert.deepEqual(codes, [...Array<string>(5).fill('pass'), 'SALLY_HANDSHAKE_RATE'])
  })
}

test('an IPv6 customer has one budget for its /64; the next customer has its own', async () => {
  const check = compileControl(rate, policy)
  const ips = ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1:ffff::3', '2001:db8:0:1::4', '2001:db8:0:2::1']
  const codes = []
  for (const ip of ips) codes.push(codeOf(await check(attemptOf({ ip }))))
  assert.deepEqual(codes, ['pass', 'pass', 'pass', 'SALLY_HANDSHAKE_RATE', 'pass'])
})

test('a refusal says when to come back, in whole seconds', async () => {
  const check = compileControl(rate, policy)
  for (let index = 0; index < 3; index++) await check(attemptOf())
  const { retryAfter } = (await check(attemptOf())) as Denial
  assert.ok(Number.isInteger(retryAfter) && retryAfter! >= 1 && retryAfter! <= 60, String(retryAfter))
})

test('a refused address takes nothing of the budget in all', async () => {
  const check = compileControl(rate, policy)
  for (let index = 0; index < 20; index++) await check(attemptOf())
  assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'pass')
  assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'pass')
  assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'SALLY_HANDSHAKE_RATE')
})

test('it is off only by dangerouslyOff', () => {
  assert.throws(() => compileControl(rate, policyOf({ rate: { dangerouslyOff: true } })), /is off/)
})

/** A door with a user's budget of 2, and one stranger's attempt for each address. */
const classes = policyOf({
  rate: { perIp: { attempts: 1, per: '1 minute' }, perUser: { attempts: 2, per: '1 minute' } },
  ticket: { secret: 'a secret that is thirty-two bytes!' },
})
const cookie = (value: string): { headers: { Cookie: string } } => ({ headers: { Cookie: `sid=${value}` } })
const ANN = { id: 's1', user: 'ann' }

test('a proven credential pays from its user’s budget alone, whatever its address has spent', async () => {
  const parts = partsOf(undefined, classes)
  const check = compileControl(rate, classes, parts)
  const { proofs } = parts
  for (let nth = 0; nth < 5; nth++) await check(attemptOf())
  proofs.accept(proofs.credentialOf(attemptOf(cookie('ann')).request)!, ANN)
  proofs.accept(proofs.credentialOf(attemptOf(cookie('ann, elsewhere')).request)!, ANN)
  const codes = []
  for (const value of ['ann', 'ann, elsewhere', 'ann']) {
    const attempt = attemptOf(cookie(value))
    codes.push(codeOf(await check(attempt)))
    assert.equal(attempt.standing, 'proven')
  }
  assert.deepEqual(codes, ['pass', 'pass', 'SALLY_HANDSHAKE_RATE'])
})

test('an unknown credential is refused by no budget: it waits for its look-up, and pays once its user is known', async () => {
  const parts = partsOf(undefined, classes)
  const check = compileControl(rate, classes, parts)
  const late = compileControl(rateOfUser, classes, parts)
  for (let nth = 0; nth < 20; nth++) {
    const attempt = attemptOf(cookie(`guess ${nth}`))
    assert.equal(codeOf(await check(attempt)), 'pass')
    assert.equal(attempt.standing, 'unproven')
  }
  const codes = []
  for (let nth = 0; nth < 3; nth++)
    codes.push(codeOf(await late(attemptOf({}, { standing: 'unproven', session: ANN }))))
  assert.deepEqual(codes, ['pass', 'pass', 'SALLY_HANDSHAKE_RATE'])
  for (const standing of ['ticket', 'proven', 'bare'] as const) {
    assert.equal(codeOf(await late(attemptOf({}, { standing, session: ANN }))), 'pass', `${standing} has paid before`)
  }
})

const bearing = (ticket: string, more: object = {}): Asked => ({
  headers: { 'Sec-WebSocket-Protocol': `sallyport.v1, sallyport.ticket.${ticket}`, ...more },
})

test('a ticket and its handshake are one attempt; presented again it proves nothing', async () => {
  const parts = partsOf(undefined, classes)
  const check = compileControl(rate, classes, parts)
  const { ticket } = parts.tickets.issue({ session: ANN, origin: ORIGIN, path: '/ws' })
  await check(attemptOf())
  const first = attemptOf(bearing(ticket))
  assert.equal(codeOf(await check(first)), 'pass')
  assert.equal(first.standing, 'ticket')
  for (const ip of ['192.0.2.7', '198.51.100.1', '198.51.100.2']) {
    const again = attemptOf({ ...bearing(ticket, { Cookie: 'sid=mallory' }), ip })
    await check(again)
    assert.equal(again.standing, 'unproven', 'a stolen ticket that is replayed from elsewhere')
  }
  assert.equal(
    codeOf(await check(attemptOf(bearing(ticket)))),
    'SALLY_HANDSHAKE_RATE',
    'without a credential it is bare',
  )
})

for (const [name, ticket] of [
  ['made up', 'A'.repeat(100)],
  ['of version 1', 'A'.repeat(76)],
  ['of another server', null],
] as const) {
  test(`a ticket that is ${name} proves nothing`, async () => {
    const parts = partsOf(undefined, classes)
    const other = partsOf(undefined, classes).tickets.issue({ session: ANN, origin: ORIGIN, path: '/ws' }).ticket
    const attempt = attemptOf(bearing(ticket ?? other, { Cookie: 'sid=1' }))
    await compileControl(rate, classes, parts)(attempt)
    assert.equal(attempt.standing, 'unproven')
  })
}

test('a request for a ticket proves nothing by a ticket that it carries: nobody mints one by another for nothing', async () => {
  const query = policyOf({ rate: { perIp: { attempts: 1, per: '1 minute' } }, ticket: { carrier: 'query' } })
  const parts = partsOf(undefined, query)
  const { ticket } = parts.tickets.issue({ session: ANN, origin: ORIGIN, path: '/ws' })
  const attempt = attemptOf({ target: `/.sallyport/ticket?path=/ws&ticket=${ticket}` })
  await compileControl(rateOfTicketRequest, query, parts)(attempt)
  assert.equal(attempt.standing, 'bare')
})

test('with the ticket in the first message, ticket and handshake pay one half each', async () => {
  const first = policyOf({
    session: { dangerouslyAnonymous: true },
    rate: { perIp: { attempts: 2, per: '1 minute' } },
    ticket: { carrier: 'first-message' },
  })
  const check = compileControl(rate, first, partsOf(undefined, first))
  const codes = []
  for (let nth = 0; nth < 5; nth++) codes.push(codeOf(await check(attemptOf())))
  assert.deepEqual(codes, ['pass', 'pass', 'pass', 'pass', 'SALLY_HANDSHAKE_RATE'])
})

test('a /56 of IPv6 has twice the budget of an address, a /48 four times: no more by using many /64s', async () => {
  const check = compileControl(rate, policyOf({ rate: { perIp: { attempts: 10, per: '1 minute' } } }))
  const passed = async (ips: readonly string[]): Promise<number> => {
    let count = 0
    for (const ip of ips) if (codeOf(await check(attemptOf({ ip }))) === 'pass') count++
    return count
  }
  const numbers = Array.from({ length: 256 }, (_, nth) => nth)
  assert.equal(await passed(numbers.map(nth => `2001:db8:1:${nth.toString(16)}::1`)), 20)
  assert.equal(await passed(numbers.map(nth => `2001:db8:2:${(nth * 256).toString(16)}::1`)), 40)
  assert.equal(await passed(['2001:db8:3:1::1']), 1)
})

test('those who are refused at once are told different times, each of which has a place', async () => {
  const check = compileControl(rate, policyOf({ rate: { perIp: { attempts: 60, per: '1 minute', burst: 1 } } }))
  await check(attemptOf())
  const waits: number[] = []
  for (let nth = 0; nth < 30; nth++) waits.push(((await check(attemptOf())) as Denial).retryAfter!)
  for (const [nth, wait] of waits.entries()) assert.ok(wait >= nth + 1 && wait <= nth + 3, `${nth}: ${wait}`)
})

test('however long one is refused, nobody is told to wait for longer than two refills', async () => {
  const check = compileControl(rate, policyOf({ rate: { perIp: { attempts: 60, per: '1 minute', burst: 1 } } }))
  const waits: number[] = []
  for (let nth = 0; nth < 2000; nth++) waits.push(((await check(attemptOf())) as Partial<Denial>).retryAfter ?? 1)
  assert.ok(Math.max(...waits) <= 122, String(Math.max(...waits)))
})
