import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { sentenceOf } from '../../src/policy/denials.ts'
import { origin } from '../../src/controls/handshake/origin.ts'
import type { Denial } from '../../src/model/verdict.ts'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { createWorld, type World } from '../support/world.ts'
import { attemptOf, codeOf, compileControl, ORIGIN, policyOf } from './door-fixtures.ts'
import { ORIGIN_ATTACKS } from './origin-attacks.ts'

// More refused Origins than one address may send in a minute.
const check = compileControl(origin, policyOf({ rate: { perIp: { attempts: 1_000_000, per: '1 minute' } } }))
const REFUSED = new Set(['SALLY_ORIGIN_MISSING', 'SALLY_ORIGIN_NOT_ALLOWED'])

test('there are at least 60 attacks, each of its own name', () => {
  assert.ok(ORIGIN_ATTACKS.length >= 60, String(ORIGIN_ATTACKS.length))
  assert.equal(new Set(ORIGIN_ATTACKS.map(([name]) => name)).size, ORIGIN_ATTACKS.length)
})

for (const [name, value] of ORIGIN_ATTACKS) {
  test(`control: ${name} is refused`, async () => {
    const attempt = attemptOf({ headers: { Origin: value } })
    assert.ok(REFUSED.has(codeOf(await check(attempt))))
  })
}

test('control: the exact origin passes and is written down', async () => {
  const attempt = attemptOf()
  assert.equal(codeOf(await check(attempt)), 'pass')
  assert.equal(attempt.origin, ORIGIN)
})

test('control: an origin in another header is none', async () => {
  const headers = {
    Origin: null,
    'Sec-WebSocket-Origin': ORIGIN,
    Referer: `${ORIGIN}/`,
    'X-Origin': ORIGIN,
    Or_igin: ORIGIN,
  }
  assert.equal(codeOf(await check(attemptOf({ headers }))), 'SALLY_ORIGIN_MISSING')
})

test('property: no text but the exact one passes, however near', async () => {
  const mutation = fc
    .tuple(fc.nat(ORIGIN.length), fc.nat(3), fc.string({ maxLength: 3, unit: 'binary' }))
    .map(([at, cut, put]) => ORIGIN.slice(0, at) + put + ORIGIN.slice(at + cut))
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutation, fc.string(), fc.webUrl()), async Origin => {
      assert.equal(codeOf(await check(attemptOf({ headers: { Origin } }))) === 'pass', Origin === ORIGIN)
    }),
    { numRuns: 1000 },
  )
})

test('dangerouslyAllowMissing lets in who sends none, and nobody else', async () => {
  const lenient = compileControl(origin, policyOf({ origin: { allow: [ORIGIN], dangerouslyAllowMissing: true } }))
  const attempt = attemptOf({ headers: { Origin: null } })
  assert.equal(codeOf(await lenient(attempt)), 'pass')
  assert.equal(attempt.origin, null)
  for (const Origin of ['null', '', 'https://evil.example', [ORIGIN, ORIGIN]]) {
    assert.equal(codeOf(await lenient(attemptOf({ headers: { Origin } }))), 'SALLY_ORIGIN_NOT_ALLOWED')
  }
})

test('dangerouslyAllowAnyOrigin lets everybody in and keeps the Origin, unless it is repeated', async () => {
  const policy = policyOf({ origin: { dangerouslyAllowAnyOrigin: true } })
  const open = compileControl(origin, policy)
  assert.ok(policy.weakened.some(({ control }) => control === 'handshake/origin'))
  const rows: [string | string[] | null, string | null][] = [
    ['https://evil.example', 'https://evil.example'],
    ['null', 'null'],
    [null, null],
    [['a', 'b'], null],
  ]
  for (const [Origin, kept] of rows) {
    const attempt = attemptOf({ headers: { Origin } })
    assert.equal(codeOf(await open(attempt)), 'pass')
    assert.equal(attempt.origin, kept)
  }
})

test('what is refused is kept as it was sent, for report mode to bind a ticket to', async () => {
  const attempt = attemptOf({ headers: { Origin: 'https://evil.example' } })
  assert.equal(codeOf(await check(attempt)), 'SALLY_ORIGIN_NOT_ALLOWED')
  assert.equal(attempt.origin, 'https://evil.example')
})

test('a detail shows a bounded part of what was sent', async () => {
  const detail = sentenceOf((await check(attemptOf({ headers: { Origin: 'x'.repeat(5000) } }))) as Denial)
  assert.ok(detail.length < 300)
})

let world: World
before(async () => {
  world = await createWorld({
    handshake: {
      origin: { allow: [ORIGIN] },
      session: { dangerouslyAnonymous: true },
      host: { allow: ['localhost'] },
      ticket: { dangerouslyWithoutTicket: true },
    },
  })
})
after(() => world.close())

test('over sockets: every attack is refused with 403, or by the parser with 400, and the honest page connects throughout', async () => {
  const { port, guard } = world
  const send = (origins: readonly string[]): ReturnType<typeof exchange> =>
    exchange(port, handshakeText({ port, replace: { origin: '' }, add: origins.map(value => `Origin: ${value}`) }))
  let honest = 0
  for (const [index, [name, value]] of ORIGIN_ATTACKS.entries()) {
    const { status, text, ended } = await send(value === null ? [] : [value].flat())
    assert.ok(status === 403 || (status === 400 && value !== null), `${name}: ${status}`)
    assert.match(
      text,
      status === 403 ? /\{"code":"SALLY_ORIGIN_(?:MISSING|NOT_ALLOWED)"\}$/ : /\{"code":"SALLY_REQUEST_MALFORMED"\}$/,
      name,
    )
    assert.ok(ended, name)
    if (index % 10 !== 9) continue
    assert.equal((await send([ORIGIN])).status, 101, `the honest page after ${name}`)
    honest++
  }
  assert.ok(honest >= 9)
  const { opened, denials } = guard.counters()
  assert.equal(opened, honest)
  const refused = denials.reduce((sum, { count }) => sum + count, 0)
  assert.equal(refused, ORIGIN_ATTACKS.length)
})

test('report mode: an attack is told and let in', async () => {
  const reporting = await createWorld({
    report: ['handshake/origin'],
    handshake: {
      origin: { allow: [ORIGIN] },
      session: { dangerouslyAnonymous: true },
      host: { allow: ['localhost'] },
      ticket: { dangerouslyWithoutTicket: true },
    },
  })
  const socket = reporting.client({ origin: 'https://evil.example' })
  await once(socket, 'open')
  const event = await reporting.event(({ code }) => code === 'SALLY_ORIGIN_NOT_ALLOWED')
  assert.equal(event.enforced, false)
  await reporting.close()
})
