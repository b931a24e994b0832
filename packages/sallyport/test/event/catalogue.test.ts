import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { type Catalogue, createCatalogue, type EventSubject } from '../../src/event/catalogue.ts'
import type { SallyEvent } from '../../src/model/event.ts'
import { createRedactor } from '../../src/event/redact.ts'
import { type DenialCode, denialRow, DENIALS, sentenceOf } from '../../src/policy/denials.ts'
import type { Facts } from '../../src/model/facts.ts'
import { deny } from '../../src/model/verdict.ts'
import { request, subject } from './facts.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const redactor = createRedactor('a key of tests', systemRuntime)
const catalogue = createCatalogue({
  name: 'app',
  redactor,
  denials: { rowOf: denialRow, sentenceOf },
  now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
})
const alice = redactor.user('alice')
const CODES = Object.keys(DENIALS) as DenialCode[]

/** Facts of each sentence of a code, with the same text at every name. */
function factsOf(code: DenialCode, text: string): readonly Facts[] {
  const { tells } = DENIALS[code]
  const reasons = typeof tells === 'string' ? [[undefined, tells] as const] : Object.entries(tells)
  return reasons.map(([reason, sentence]) => {
    const facts = new Map(Array.from(sentence.matchAll(/\{(\w+)\}/g), ([, name]) => [name!, text]))
    if (reason !== undefined) facts.set('reason', reason)
    return Object.fromEntries(facts)
  })
}

const everyEvent = (of: Catalogue, about: EventSubject, detail: string, error: unknown): SallyEvent[] => [
  ...CODES.flatMap(code => factsOf(code, detail).map(facts => of.describeDenial(about, deny(code, facts), true))),
  of.describeOpen(about),
  of.describeClose(about, 1006, 5),
  of.describeAuthenticated(about),
  of.describeTicket(about),
  of.describeFailure(about, 'SALLY_HANDLER_FAILED', error),
]

describe('an event', () => {
  it('of a denial says all that the operator needs, in the vocabulary', () => {
    assert.deepEqual(
      catalogue.describeDenial(subject, deny('SALLY_ORIGIN_NOT_ALLOWED', { reason: 'repeated' }), true),
      {
        kind: 'denial',
        datetime: '2026-01-02T03:04:05.006Z',
        appid: 'app',
        event: `malicious_cors:${alice},Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML; like Gecko),https://app.company.com`,
        level: 'warn',
        description: DENIALS.SALLY_ORIGIN_NOT_ALLOWED.means,
        control: 'handshake/origin',
        code: 'SALLY_ORIGIN_NOT_ALLOWED',
        detail: 'the Origin header is repeated',
        enforced: true,
        remedy: DENIALS.SALLY_ORIGIN_NOT_ALLOWED.remedy,
        connection: 'c-1',
        session: redactor.session('session-1'),
        user: alice,
        source_ip: '192.0.2.7',
        origin: 'https://app.company.com',
        useragent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
        hostname: 'app.company.com',
        protocol: 'wss',
        request_uri: '/ws',
        request_method: 'GET',
      },
    )
  })

  const nobody: EventSubject = { request: request('/ws', {}, { secure: false }) }
  for (const { row, made, expected } of [
    {
      row: 'CSRF',
      made: catalogue.describeDenial(nobody, deny('SALLY_TICKET_MISSING'), true),
      expected: 'malicious_csrf:192.0.2.7,,',
    },
    {
      row: 'input',
      made: catalogue.describeDenial(subject, deny('SALLY_MESSAGE_INVALID'), true),
      expected: `input_validation_fail:message/schema,${alice}`,
    },
    {
      row: 'rate',
      made: catalogue.describeDenial(nobody, deny('SALLY_HANDSHAKE_RATE'), true),
      expected: 'excess_rate_limit_exceeded:192.0.2.7,handshake/rate',
    },
    {
      row: 'authorisation',
      made: catalogue.describeDenial(subject, deny('SALLY_HANDSHAKE_FORBIDDEN'), true),
      expected: `authz_fail:${alice},/ws`,
    },
    {
      row: 'replay',
      made: catalogue.describeDenial(subject, deny('SALLY_TICKET_USED'), true),
      expected: `authn_token_reuse:${alice},SALLY_TICKET_USED`,
    },
    {
      row: 'expiry',
      made: catalogue.describeDenial(subject, deny('SALLY_LIFETIME_EXPIRED'), true),
      expected: `session_expired:${alice},SALLY_LIFETIME_EXPIRED`,
    },
    {
      row: 'a throwing control',
      made: catalogue.describeDenial(nobody, deny('SALLY_CONTROL_FAILED'), true, 'message/schema'),
      expected: 'sys_crash:SALLY_CONTROL_FAILED',
    },
    { row: 'open', made: catalogue.describeOpen(subject), expected: `session_created:${alice}` },
    { row: 'close', made: catalogue.describeClose(subject, 1000, 5), expected: `session_expired:${alice},close 1000` },
    {
      row: 'a close by a control',
      made: catalogue.describeClose(subject, 4408, 5, 'SALLY_IDLE'),
      expected: `session_expired:${alice},SALLY_IDLE`,
    },
    { row: 'first message', made: catalogue.describeAuthenticated(subject), expected: `authn_login_success:${alice}` },
    { row: 'ticket', made: catalogue.describeTicket(subject), expected: `authn_token_created:${alice},/ws` },
    { row: 'all revoked', made: catalogue.describeRevoked('all'), expected: 'authn_token_revoked:all,all' },
    {
      row: 'a user revoked',
      made: catalogue.describeRevoked({ user: 'alice' }),
      expected: `authn_token_revoked:${alice},all`,
    },
    {
      row: 'a session revoked',
      made: catalogue.describeRevoked({ session: 's' }),
      expected: `authn_token_revoked:,${redactor.session('s')}`,
    },
    {
      row: 'weakened',
      made: catalogue.describeWeakened('handshake.origin.dangerouslyAllowMissing', 'handshake/origin'),
      expected: 'sys_monitor_disabled:app,handshake/origin',
    },
    { row: 'shutdown', made: catalogue.describeShutdown(2), expected: 'sys_shutdown:app' },
  ])
    it(`of ${row} is ${expected}`, () => {
      assert.equal(made.event, expected)
      assert.ok(Object.isFrozen(made), 'no listener changes it for the next')
    })

  it('every code has an event with its own level, control and name', () => {
    for (const code of CODES) {
      const made = catalogue.describeDenial(subject, deny(code, { reason: 'why' }), false)
      assert.equal(made.level, DENIALS[code].level)
      assert.equal(made.control, DENIALS[code].control)
      assert.ok(made.event.startsWith(`${DENIALS[code].event}:`), made.event)
      assert.equal(made.enforced, false)
    }
  })

  for (const { row, code, enforced, expected } of [
    { row: 'a denial that closes', code: 'SALLY_IDLE', enforced: true, expected: 4408 },
    { row: 'a denial in report mode', code: 'SALLY_IDLE', enforced: false, expected: undefined },
    {
      row: 'a denial that is answered by an error reply',
      code: 'SALLY_MESSAGE_TYPE',
      enforced: true,
      expected: undefined,
    },
    { row: 'a refused handshake', code: 'SALLY_ORIGIN_MISSING', enforced: true, expected: undefined },
  ] as const)
    it(`${row} has the close code ${expected}`, () => {
      assert.equal(catalogue.describeDenial(subject, deny(code), enforced).close_code, expected)
    })

  for (const { row, code, level } of [
    { row: 'a normal close is no alarm', code: 1000, level: 'info' },
    { row: 'a lost connection is no alarm', code: 1006, level: 'info' },
    { row: 'a protocol error warns', code: 1002, level: 'warn' },
    { row: 'a policy violation warns', code: 1008, level: 'warn' },
    { row: 'a server error warns', code: 1011, level: 'warn' },
  ])
    it(row, () => {
      const made = catalogue.describeClose(subject, code, 12.6)
      assert.equal(made.level, level)
      assert.equal(made.close_code, code)
      assert.equal(made.lived_ms, 13)
    })

  it('a comma in a user-agent forges no parameter', () => {
    const about = {
      request: request('/ws', { 'user-agent': 'x,https://app.company.com', origin: 'https://evil.example' }),
    }
    const { event } = catalogue.describeDenial(about, deny('SALLY_ORIGIN_NOT_ALLOWED'), true)
    assert.equal(event, 'malicious_cors:192.0.2.7,x;https://app.company.com,https://evil.example')
  })

  it('bounds what the peer wrote: user-agent at 200, detail at 300, host at 255', () => {
    const long = 'x'.repeat(5000)
    const about = { request: request(`/${long}`, { 'user-agent': long, origin: long, host: long }) }
    const made = catalogue.describeDenial(
      about,
      deny('SALLY_ORIGIN_NOT_ALLOWED', { reason: 'not-listed', origin: long }),
      true,
    )
    assert.deepEqual(
      [made.useragent, made.origin, made.hostname, made.request_uri, made.detail].map(field => field?.length),
      [200, 200, 255, 200, 300],
    )
  })
})

describe('no secret reaches an event', () => {
  const secret = fc.stringMatching(/^[\da-zA-Z_-]{12,40}$/)

  it('planted in query, fragment, path parameter, cookie, Authorization, subprotocol, session, origin user, or an error', () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom('?ticket=', '%3Fticket=', '#', ';sid=', '?a=b&token='),
        (planted, carrier) => {
          const about: EventSubject = {
            connection: 'c',
            session: { id: planted, user: `user-${planted}` },
            request: request(`/ws${carrier}${planted}`, {
              cookie: `sid=${planted}`,
              authorization: `Bearer ${planted}`,
              'sec-websocket-protocol': `sallyport.v1, sallyport.ticket.${planted}`,
              'sec-websocket-key': planted,
              referer: `https://app.company.com/?t=${planted}`,
              origin: `https://u:${planted}@app.company.com?${planted}`,
              host: `${planted}@app.company.com`,
            }),
          }
          const error = new TypeError(`cannot read ${planted}\n    at ${planted} (file.ts:1:1)`)
          const made = [
            ...everyEvent(catalogue, about, 'no secret in a detail', error),
            catalogue.describeRevoked({ session: planted }),
            catalogue.describeRevoked({ user: planted }),
          ]
          for (const event of made) assert.ok(!JSON.stringify(event).includes(planted), JSON.stringify(event))
        },
      ),
    )
  })

  it('no line end, escape or mark from any header breaks out of its field', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const about = {
          connection: text,
          request: request(`/${text}`, { 'user-agent': text, origin: text, host: text }, { ip: text, method: text }),
        }
        for (const event of everyEvent(catalogue, about, text, text))
          for (const field of Object.values(event))
            assert.doesNotMatch(String(field), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      }),
      { numRuns: 50 },
    )
  })
})

const failure = (error: unknown): string | undefined =>
  catalogue.describeFailure(subject, 'SALLY_HANDLER_FAILED', error).detail
const named = (name: string): Error => Object.assign(new Error('x'), { name, stack: undefined })

describe('a failure', () => {
  it('tells the class and the place, not the message', () => {
    const detail = failure(new RangeError('password hunter2'))
    assert.match(detail ?? '', /^RangeError at .*catalogue\.test\.ts:\d+:\d+/)
    assert.doesNotMatch(detail ?? '', /hunter2/)
  })

  for (const { row, error, expected } of [
    {
      row: 'a code of Node is told',
      error: Object.assign(named('Error'), { code: 'ECONNREFUSED' }),
      expected: 'Error ECONNREFUSED',
    },
    {
      row: 'a code that is no code is not',
      error: Object.assign(named('Error'), { code: 'my secret' }),
      expected: 'Error',
    },
    { row: 'a name that is no name is not', error: named('a secret name'), expected: 'Error' },
    { row: 'a thrown string is not told', error: 'secret', expected: 'a thrown string' },
    { row: 'a thrown null is told', error: null, expected: 'a thrown null' },
    {
      row: 'an error with hostile getters',
      error: Object.defineProperty(new Error('x'), 'name', {
        get: () => {
          throw new Error('y')
        },
      }),
      expected: 'an unreadable error',
    },
  ])
    it(row, () => assert.equal(failure(error), expected))
})
