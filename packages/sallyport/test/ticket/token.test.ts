import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { sentenceOf } from '../../src/policy/denials.ts'
import type { Verdict } from '../../src/model/verdict.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/model/store.ts'
import { createTickets, TICKET_CLOCK_SKEW_MS } from '../../src/ticket/token.ts'
import type { TicketBinding, Tickets } from '../../src/model/tickets.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const START = 1_700_000_000_000
const TTL = 30_000
const A = 'a'.repeat(31) + '1'
const B = 'b'.repeat(31) + '2'
const BINDING: TicketBinding = { session: { id: 's1', user: 'alice' }, origin: 'https://app.example', path: '/ws' }

const codeOf = (verdict: Verdict): string => (verdict.pass ? 'pass' : verdict.code)
function desk(secrets: readonly string[] | null = [A], shared?: Store) {
  let at = START
  const now = (): number => at
  const store = shared ?? createMemoryStore({ now })
  return {
    store,
    now,
    tickets: createTickets({ secrets, ttlMs: TTL }, { store, now }, systemRuntime),
    pass: (ms: number): void => {
      at += ms
    },
  }
}
const redeem = async (tickets: Tickets, ticket: string, binding = BINDING): Promise<string> =>
  codeOf(await tickets.redeem(ticket, binding))

const of = (id: string): TicketBinding => ({ ...BINDING, session: { id, user: 'u' } })

describe('tickets', () => {
  it('passes once: the replay is used', async () => {
    const { tickets } = desk()
    const { ticket, expiresAt } = tickets.issue(BINDING)
    assert.equal(expiresAt, START + TTL)
    assert.equal(await redeem(tickets, ticket), 'pass')
    assert.equal(await redeem(tickets, ticket), 'SALLY_TICKET_USED')
  })

  it('is of the one form that every version of a rolling update reads', () => {
    const { tickets } = desk()
    const bytes = Buffer.from(tickets.issue(BINDING).ticket, 'base64url')
    assert.deepEqual([bytes.length, bytes[0], bytes.readUIntBE(1, 6)], [75, 2, START + TTL])
    const seal = createHmac('sha256', A).update('sallyport ticket v2 issued\0').update(bytes.subarray(0, 25)).digest()
    assert.deepEqual(bytes.subarray(25, 43), seal.subarray(0, 18))
    const mac = createHmac('sha256', A).update('sallyport ticket v2\0').update(bytes.subarray(0, 43))
    for (const part of ['s1', 'alice', 'https://app.example', '/ws']) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(2 * part.length)
      mac.update(length).update(part, 'utf16le')
    }
    assert.deepEqual(bytes.subarray(43), mac.digest())
  })

  it('is synchronous where the store is', () => {
    const { tickets } = desk()
    assert.deepEqual(tickets.redeem(tickets.issue(BINDING).ticket, BINDING), { pass: true })
  })

  it('50 redeeming at once, with a store that answers later: one wins', async () => {
    const { store, now } = desk()
    const later: Store = {
      ...store,
      once: async (key, ttlMs) => store.once(key, ttlMs),
      revokedAt: async (session, user) => store.revokedAt(session, user),
    }
    const tickets = createTickets({ secrets: [A], ttlMs: TTL }, { store: later, now }, systemRuntime)
    const { ticket } = tickets.issue(BINDING)
    const codes = await Promise.all(Array.from({ length: 50 }, () => redeem(tickets, ticket)))
    assert.equal(codes.filter(code => code === 'pass').length, 1)
    assert.equal(codes.filter(code => code === 'SALLY_TICKET_USED').length, 49)
  })

  const elsewhere: readonly [string, TicketBinding][] = [
    ['another session', { ...BINDING, session: { id: 's2', user: 'alice' } }],
    ['another user', { ...BINDING, session: { id: 's1', user: 'mallory' } }],
    ['another origin', { ...BINDING, origin: 'https://evil.app.example' }],
    ['no origin', { ...BINDING, origin: '' }],
    ['another path', { ...BINDING, path: '/admin' }],
    ['a path in another case', { ...BINDING, path: '/WS' }],
    ['a path with a slash more', { ...BINDING, path: '/ws/' }],
    ['id and user with the border moved', { ...BINDING, session: { id: 's1a', user: 'lice' } }],
    ['id and user swapped', { ...BINDING, session: { id: 'alice', user: 's1' } }],
    ['origin and path with the border moved', { ...BINDING, origin: 'https://app.example/', path: 'ws' }],
  ]
  for (const [name, binding] of elsewhere) {
    it(`of ${name} is invalid, and the attempt does not use it up`, async () => {
      const { tickets } = desk()
      const { ticket } = tickets.issue(BINDING)
      assert.equal(await redeem(tickets, ticket, binding), 'SALLY_TICKET_INVALID')
      assert.equal(await redeem(tickets, ticket), 'pass')
    })
  }
  it('lone surrogates are not one another', async () => {
    const { tickets } = desk()
    assert.equal(await redeem(tickets, tickets.issue(of('\ud800')).ticket, of('\ud801')), 'SALLY_TICKET_INVALID')
    assert.equal(await redeem(tickets, tickets.issue(of('\ud800')).ticket, of('\ufffd')), 'SALLY_TICKET_INVALID')
  })

  it('tampered at any bit of any byte is invalid', async () => {
    const { tickets } = desk()
    const { ticket } = tickets.issue(BINDING)
    const bytes = Buffer.from(ticket, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      for (const bit of [1, 128]) {
        const changed = Buffer.from(bytes)
        changed.writeUInt8(bytes.readUInt8(index) ^ bit, index)
        assert.equal(await redeem(tickets, changed.toString('base64url')), 'SALLY_TICKET_INVALID', `byte ${index}`)
      }
    }
    assert.equal(await redeem(tickets, ticket), 'pass')
  })

  it('has one spelling: any character changed is invalid', async () => {
    const { tickets } = desk()
    const { ticket } = tickets.issue(BINDING)
    for (let index = 0; index < ticket.length; index++) {
      const other = ticket[index] === 'A' ? 'B' : 'A'
      const changed = ticket.slice(0, index) + other + ticket.slice(index + 1)
      assert.equal(await redeem(tickets, changed), 'SALLY_TICKET_INVALID', `character ${index}`)
    }
  })

  const misshapen: readonly [string, (ticket: string) => unknown][] = [
    ['empty', () => ''],
    ['truncated by a character', t => t.slice(0, -1)],
    ['extended by a character', t => `${t}A`],
    ['truncated by four', t => t.slice(0, -4)],
    ['extended by four', t => `${t}AAAA`],
    ['with a line break', t => `${t}\n`],
    ['padded', t => `${t.slice(0, -1)}=`],
    ['in plain base64', t => `+${t.slice(1)}`],
    ['a megabyte', () => 'A'.repeat(1 << 20)],
    ['a number', () => 7],
    ['an object that reads as a ticket', t => ({ toString: () => t, length: 100 })],
    ['undefined', () => undefined],
  ]
  for (const [name, change] of misshapen) {
    it(`${name} is invalid`, async () => {
      const { tickets } = desk()
      assert.equal(await redeem(tickets, change(tickets.issue(BINDING).ticket) as string), 'SALLY_TICKET_INVALID')
    })
  }
  it('no text but an issued ticket passes', () => {
    const { tickets } = desk()
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array({ minLength: 75, maxLength: 75 })), made => {
        const text = typeof made === 'string' ? made : Buffer.from(made).toString('base64url')
        assert.equal(codeOf(tickets.redeem(text, BINDING) as Verdict), 'SALLY_TICKET_INVALID')
      }),
    )
  })

  it('one of version 1 is refused as of another version', async () => {
    const { tickets } = desk()
    const first = Buffer.concat([Buffer.from([1]), Buffer.alloc(56, 7)]).toString('base64url')
    const verdict = await tickets.redeem(first, BINDING)
    assert.ok(
      !verdict.pass && verdict.code === 'SALLY_TICKET_INVALID' && sentenceOf(verdict).includes('another version'),
    )
    assert.equal(await tickets.present(first), false)
  })

  describe('presented before the session is known', () => {
    it('counts once; presenting it does not use it up, nor does using it make it new', async () => {
      const { tickets } = desk()
      const { ticket } = tickets.issue(BINDING)
      assert.equal(await tickets.present(ticket), true)
      for (let nth = 0; nth < 1000; nth++) assert.equal(await tickets.present(ticket), false)
      assert.equal(await redeem(tickets, ticket), 'pass')
      assert.equal(await tickets.present(ticket), false)
    })
    it('is told at any bit that is changed in what it is told by', async () => {
      const { tickets } = desk()
      const bytes = Buffer.from(tickets.issue(BINDING).ticket, 'base64url')
      for (let index = 0; index < 43; index++) {
        const changed = Buffer.from(bytes)
        changed.writeUInt8(bytes.readUInt8(index) ^ 1, index)
        assert.equal(await tickets.present(changed.toString('base64url')), false, `byte ${index}`)
      }
      assert.equal(await tickets.present(bytes.toString('base64url')), true)
    })
    for (const [name, change, expected] of [
      ['made up, of the right form', () => 'A'.repeat(100), false],
      ['of another secret', () => desk([B]).tickets.issue(BINDING).ticket, false],
      ['of an older secret', () => desk([B]).tickets.issue(BINDING).ticket, true],
      ['empty', () => '', false],
      ['a megabyte', () => 'A'.repeat(1 << 20), false],
    ] as readonly [string, () => string, boolean][]) {
      it(`${name}: ${expected}`, async () => {
        const { tickets } = desk(name === 'of an older secret' ? [A, B] : [A])
        assert.equal(await tickets.present(change()), expected)
      })
    }
    it('is of no worth once it has expired, nor while it is issued in the future', async () => {
      const { tickets, pass, store } = desk()
      const { ticket } = tickets.issue(BINDING)
      pass(TTL)
      assert.equal(await tickets.present(ticket), false)
      const fast = createTickets(
        { secrets: [A], ttlMs: TTL },
        { store, now: () => START + TTL + 60_000 },
        systemRuntime,
      )
      assert.equal(await tickets.present(fast.issue(BINDING).ticket), false)
    })
    for (const [how, once] of [
      ['throws', () => assert.fail('down')],
      ['rejects', () => Promise.reject(new Error('down'))],
    ] as const) {
      it(`a store that ${how} proves nothing`, async () => {
        const { store, now } = desk()
        const tickets = createTickets({ secrets: [A], ttlMs: TTL }, { store: { ...store, once }, now }, systemRuntime)
        assert.equal(await tickets.present(tickets.issue(BINDING).ticket), false)
      })
    }
  })

  for (const [age, code] of [
    [TTL - 1, 'pass'],
    [TTL, 'SALLY_TICKET_EXPIRED'],
    [TTL + 1, 'SALLY_TICKET_EXPIRED'],
  ] as const) {
    it(`redeemed after ${age} ms of ${TTL}: ${code}`, async () => {
      const { tickets, pass } = desk()
      const { ticket } = tickets.issue(BINDING)
      pass(age)
      assert.equal(await redeem(tickets, ticket), code)
    })
  }
  it('expiry is told only of a ticket that is ours', async () => {
    const { tickets, pass } = desk()
    const { ticket } = tickets.issue(BINDING)
    pass(TTL)
    assert.equal(await redeem(tickets, ticket, { ...BINDING, path: '/other' }), 'SALLY_TICKET_INVALID')
  })
  it('a ticket that expires later than any issued now is invalid, though its MAC is right', async () => {
    for (const [ahead, code] of [
      [TICKET_CLOCK_SKEW_MS - 1, 'pass'],
      [TICKET_CLOCK_SKEW_MS, 'pass'],
      [TICKET_CLOCK_SKEW_MS + 1, 'SALLY_TICKET_INVALID'],
    ] as const) {
      const { tickets, store } = desk()
      const fast = createTickets({ secrets: [A], ttlMs: TTL }, { store, now: () => START + ahead }, systemRuntime)
      assert.equal(await redeem(tickets, fast.issue(BINDING).ticket), code)
    }
  })
  it('a used ticket stays used on a node whose clock is behind, until it has expired there', async () => {
    const { tickets, store, now, pass } = desk()
    const { ticket } = tickets.issue(BINDING)
    assert.equal(await redeem(tickets, ticket), 'pass')
    const behind = createTickets(
      { secrets: [A], ttlMs: TTL },
      { store, now: () => now() - TICKET_CLOCK_SKEW_MS },
      systemRuntime,
    )
    pass(TTL + TICKET_CLOCK_SKEW_MS - 1)
    assert.equal(await redeem(behind, ticket), 'SALLY_TICKET_USED')
    pass(1)
    assert.equal(await redeem(behind, ticket), 'SALLY_TICKET_EXPIRED')
  })

  describe('secrets', () => {
    it('an older secret still verifies; a dropped one does not', async () => {
      const { tickets: old, store } = desk([A])
      const { ticket } = old.issue(BINDING)
      assert.equal(await redeem(desk([B], store).tickets, ticket), 'SALLY_TICKET_INVALID')
      assert.equal(await redeem(desk([B, A], store).tickets, ticket), 'pass')
    })
    it('the newest signs', async () => {
      const { tickets, store } = desk([B, A])
      assert.equal(await redeem(desk([A], store).tickets, tickets.issue(BINDING).ticket), 'SALLY_TICKET_INVALID')
      assert.equal(await redeem(desk([B], store).tickets, tickets.issue(BINDING).ticket), 'pass')
    })
    it('without secrets each process has its own', async () => {
      const { tickets, store } = desk(null)
      const { ticket } = tickets.issue(BINDING)
      assert.equal(await redeem(desk(null, store).tickets, ticket), 'SALLY_TICKET_INVALID')
      assert.equal(await redeem(tickets, ticket), 'pass')
    })
    for (const [name, secrets, message] of [
      ['31 bytes', ['x'.repeat(31)], /secret \[0\] is 31 bytes; .* openssl/],
      ['31 bytes beside a long one', [A, 'x'.repeat(31)], /secret \[1\] is 31 bytes/],
      ['none in the list', [], /is an empty list/],
    ] as const) {
      it(`${name}: TypeError without the secret`, () => {
        assert.throws(() => desk(secrets), { name: 'TypeError', message })
      })
    }
    it('32 and 33 bytes are enough', () => {
      for (const bytes of [32, 33]) assert.ok(desk(['x'.repeat(bytes)]).tickets)
    })
  })

  describe('revocation', () => {
    for (const target of [{ session: 's1' }, { user: 'alice' }, 'all'] as const) {
      it(`a ticket issued before ${JSON.stringify(target)} was revoked is refused, also in the same ms`, async () => {
        const { tickets, store, pass } = desk()
        const before = tickets.issue(BINDING).ticket
        pass(10)
        const same = tickets.issue(BINDING).ticket
        await store.revoke(target, 60_000)
        assert.equal(await redeem(tickets, before), 'SALLY_TICKET_REVOKED')
        assert.equal(await redeem(tickets, same), 'SALLY_TICKET_REVOKED')
        pass(1)
        const after = 'session' in Object(target) ? 'SALLY_TICKET_REVOKED' : 'pass'
        assert.equal(await redeem(tickets, tickets.issue(BINDING).ticket), after)
      })
    }
    it('revoking others spares it', async () => {
      const { tickets, store } = desk()
      const { ticket } = tickets.issue(BINDING)
      await store.revoke({ session: 's2' }, 60_000)
      await store.revoke({ user: 's1' }, 60_000)
      assert.equal(await redeem(tickets, ticket), 'pass')
    })
  })

  const failures: readonly [string, Partial<Store>][] = [
    [
      'revokedAt throws',
      {
        revokedAt: () => {
          throw new RangeError('redis://:password@host')
        },
      },
    ],
    ['revokedAt rejects', { revokedAt: () => Promise.reject(new RangeError('redis://:password@host')) }],
    [
      'once throws',
      {
        once: () => {
          throw new RangeError('redis://:password@host')
        },
      },
    ],
    ['once rejects', { once: () => Promise.reject(new RangeError('redis://:password@host')) }],
    [
      'once rejects after a later revokedAt',
      { revokedAt: async () => null, once: () => Promise.reject(new RangeError('x')) },
    ],
  ]
  for (const [name, broken] of failures) {
    it(`a store whose ${name} lets nothing through, and its message stays inside`, async () => {
      const { store, now } = desk()
      const tickets = createTickets(
        { secrets: [A], ttlMs: TTL },
        { store: { ...store, ...broken }, now },
        systemRuntime,
      )
      const verdict = await tickets.redeem(tickets.issue(BINDING).ticket, BINDING)
      assert.equal(codeOf(verdict), 'SALLY_STORE_UNAVAILABLE')
      assert.doesNotMatch(JSON.stringify(verdict), /password/)
    })
  }

  it('tells nothing: no part of the binding is in the ticket, none of the ticket in a detail or a store key', async () => {
    const { store, now } = desk()
    const keys: string[] = []
    const watched: Store = { ...store, once: (key, ttl) => (keys.push(key), store.once(key, ttl)) }
    const tickets = createTickets({ secrets: [A], ttlMs: TTL }, { store: watched, now }, systemRuntime)
    const { ticket } = tickets.issue(BINDING)
    assert.doesNotMatch(Buffer.from(ticket, 'base64url').toString('latin1'), /s1|alice|app\.example|ws/)
    await tickets.redeem(ticket, BINDING)
    const verdict = await tickets.redeem(ticket, BINDING)
    assert.ok(!JSON.stringify([verdict, keys]).includes(ticket.slice(-40)))
    assert.match(keys.join(), /^(?:ticket:[\w-]{24},?){2}$/)
  })
  it('its use is remembered past its end on a node whose clock is behind, and no store that began since is believed', async () => {
    const { store, now, pass } = desk()
    const asked: unknown[] = []
    const watched: Store = { ...store, once: (_key, ...rest) => asked.push(rest) > 0 }
    const tickets = createTickets({ secrets: [A], ttlMs: TTL }, { store: watched, now }, systemRuntime)
    const { ticket } = tickets.issue(BINDING)
    pass(1000)
    assert.equal(await redeem(tickets, ticket), 'pass')
    assert.deepEqual(asked, [[TTL - 1000 + TICKET_CLOCK_SKEW_MS, START]])
  })
  it('no two tickets are alike', () => {
    const { tickets } = desk()
    assert.equal(new Set(Array.from({ length: 1000 }, () => tickets.issue(BINDING).ticket)).size, 1000)
  })
})
