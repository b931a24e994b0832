import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import { createGuard, type Guard, type HandshakeRequest, type Session } from 'sallyport'
import { type Connection, connect } from 'sallyport/client'
import { serve } from 'sallyport/server'
import { WebSocket } from 'ws'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { freePort } from '../support/world.ts'

const TRUSTED = { proxy: { trust: ['127.0.0.1', '::1'] } }

interface Place {
  readonly port: number
  readonly origin: string
  readonly guard: Pick<Guard, 'counters'>
  readonly looks: () => number
  /** Status of a bare handshake with these further header lines. */
  ask(...lines: string[]): Promise<number>
  /** Status and ticket of a request for one. */
  ticket(cookie: string, headers?: Record<string, string>): Promise<{ status: number; ticket: string }>
}

/** A server whose sessions are the cookies that begin with `u`, found after `ms`. */
async function place(t: TestContext, { ms = 20, handshake = {}, rest = {} } = {}): Promise<Place> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  let looks = 0
  const session = async (request: HandshakeRequest): Promise<Session | null> => {
    looks++
    await new Promise(resolve => setTimeout(resolve, ms))
    const user = request.cookie('sid')
    return user?.startsWith('u') === true ? { id: `s-${user}`, user } : null
  }
  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session, ...handshake },
    message: { schema: { chat: { type: 'object', properties: {} } } },
    ...rest,
  })
  const app = await serve({ port, guard, handlers: { chat() {} } })
  t.after(() => app.close({ withinMs: 0 }))
  return {
    port,
    origin,
    guard,
    looks: () => looks,
    ask: async (...lines) => (await exchange(port, handshakeText({ port, add: lines }))).status,
    async ticket(cookie, headers = {}) {
      const response = await fetch(`${origin}/.sallyport/ticket?path=/ws`, {
        method: 'POST',
        headers: { origin, connection: 'close', cookie, ...headers },
      })
      const body = (await response.json()) as { ticket?: string }
      return { status: response.status, ticket: body.ticket ?? '' }
    },
  }
}

const pages: Connection<never, never>[] = []
after(() => {
  for (const page of pages) page.close()
})

/** Opens the page of a user, with the real client. Resolves when it is open. */
function openPage({ origin }: Place, user: string): Promise<void> {
  const headers = { origin, cookie: `sid=${user}` }
  class Socket extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols, { headers })
      this.on('error', () => undefined)
    }
  }
  const page = connect<never, never>(`${origin}/ws`, {
    WebSocket: Socket as never,
    fetch: (url, init) => fetch(url, { ...init, headers }),
  })
  pages.push(page)
  return new Promise(resolve => page.when('open', () => resolve()))
}

const users = (count: number, prefix = 'u'): string[] => Array.from({ length: count }, (_, nth) => `${prefix}${nth}`)

/** Strangers of the same address without pause, until `stop`. */
function unleash({ origin, ask, ticket }: Place, stolen: string): { stop(): Promise<{ opened: number }> } {
  const over = new AbortController()
  let opened = 0
  let serial = 0
  const until = async (attempt: () => Promise<number>): Promise<void> => {
    while (!over.signal.aborted) {
      if ((await attempt().catch(() => 0)) === 101) opened++
      await new Promise(resolve => setTimeout(resolve, 40))
    }
  }
  const all = [
    // About 100 a second of each kind, all together.
    ...users(4).map(() => until(async () => (await ticket(`sid=x${serial++}`)).status)),
    ...users(4).map(() => until(() => ask(`Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${stolen}`))),
    ...users(2).map(() => until(async () => (await ticket('sid=u0', { origin: 'https://evil.example' })).status)),
    ...users(2).map(() =>
      until(async () => {
        const response = await fetch(`${origin}/ws`, { headers: { origin: 'https://evil.example' } })
        await response.body?.cancel()
        return response.status
      }),
    ),
  ]
  return {
    async stop() {
      over.abort()
      await Promise.all(all)
      return { opened }
    },
  }
}

test('honest: 60 people behind one address are in after a cold start, with strangers among them', async t => {
  const site = await place(t)
  const { ticket } = await site.ticket('sid=u-thief')
  const strangers = unleash(site, ticket)
  await Promise.all(users(60).map(user => openPage(site, user)))
  const { opened } = await strangers.stop()
  assert.equal(opened, 0)
})

test('attack: strangers of many /64s of one /56, and of many addresses, lock nobody out elsewhere', async t => {
  const site = await place(t, { ms: 0, rest: TRUSTED })
  const from = (ip: string): string[] => [`X-Forwarded-For: ${ip}`, 'X-Forwarded-Proto: https']
  for (let nth = 0; nth < 40; nth++) {
    for (let again = 0; again < 20; again++) await site.ask(...from(`2001:db8:0:${nth.toString(16)}::1`))
    await site.ask(...from(`203.0.113.${nth}`), 'Cookie: sid=guess')
  }
  const { status } = await site.ticket('sid=u1', { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' })
  assert.equal(status, 200)
})

test('attack: X-Forwarded-For of a peer that nobody trusts makes no other address of it', async t => {
  const site = await place(t, { ms: 0, handshake: { rate: { perIp: { attempts: 3, per: '1 minute' } } } })
  const seen = new Set<number>()
  // A plain proxy that nobody vouches for: refused before, as no TLS.
  for (let nth = 0; nth < 5; nth++) seen.add(await site.ask(`X-Forwarded-For: 203.0.113.${nth}`))
  assert.deepEqual([...seen], [426])
  const codes: number[] = []
  for (let nth = 0; nth < 5; nth++) codes.push(await site.ask())
  assert.deepEqual(codes, [401, 401, 401, 429, 429])
})

test('attack: one real ticket that is replayed 300 times causes no look-up, and its owner is not held up', async t => {
  const site = await place(t, { handshake: { session: Object.assign(named(), { reads: [{ cookie: 'sid' }] }) } })
  const { ticket } = await site.ticket('sid=u1')
  const before = asked
  const codes = new Set<number>()
  for (let nth = 0; nth < 300; nth++) {
    codes.add(await site.ask(`Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${ticket}`))
  }
  assert.ok(!codes.has(101) && codes.has(429), [...codes].join())
  assert.equal(asked, before)
  await openPage(site, 'u1')
})

let asked = 0
function named(): (request: HandshakeRequest) => Promise<Session | null> {
  return async request => {
    asked++
    const user = request.cookie('sid')!
    return user.startsWith('u') ? { id: `s-${user}`, user } : null
  }
}

test('attack: one account that mints tickets in bulk gets its own budget and no more', async t => {
  const site = await place(t, { ms: 0 })
  const codes: number[] = []
  for (let nth = 0; nth < 60; nth++) codes.push((await site.ticket(`sid=u-bulk; junk=${nth}`)).status)
  const issued = codes.filter(status => status === 200).length
  assert.ok(issued >= 40 && issued <= 45, String(issued))
  assert.equal((await site.ticket('sid=u-other')).status, 200)
})

test('attack: a bad ticket beside a valid session pays from the budget of its user, and of nobody else', async t => {
  const site = await place(t, { ms: 0 })
  const bad = `Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${'A'.repeat(100)}`
  const codes: number[] = []
  for (let nth = 0; nth < 50; nth++) codes.push(await site.ask('Cookie: sid=u-bad', bad))
  assert.equal(codes[0], 403)
  assert.equal(codes.at(-1), 429)
  assert.equal(await site.ask('Cookie: sid=u-good', bad), 403)
  await openPage(site, 'u-good')
})

test('attack: a foreign page that dials without pause is told to wait, and its visitor’s own page connects', async t => {
  const site = await place(t, { ms: 0 })
  const foreign = handshakeText({
    port: site.port,
    replace: { origin: 'Origin: https://evil.example' },
    add: ['Cookie: sid=u-visitor'],
  })
  const codes = new Set<number>()
  for (let nth = 0; nth < 1100; nth++) codes.add((await exchange(site.port, foreign)).status)
  assert.deepEqual([...codes], [403, 429])
  assert.equal(site.looks(), 0)
  await openPage(site, 'u-visitor')
})

test('attack: a resolver that throws lets nobody in, and spends nobody’s budget', async t => {
  let isDown = true
  const site = await place(t, {
    handshake: {
      session: (request: HandshakeRequest) => {
        if (isDown) throw new Error('down')
        const user = request.cookie('sid')
        return user === undefined ? null : { id: user, user }
      },
    },
  })
  for (let nth = 0; nth < 80; nth++) assert.equal((await site.ticket('sid=u1')).status, 503)
  isDown = false
  await openPage(site, 'u1')
})

test('attack: a resolver that hangs for strangers answers known users', async t => {
  const session = (request: HandshakeRequest): Promise<Session | null> | Session => {
    const user = request.cookie('sid') ?? ''
    return user.startsWith('u') ? { id: user, user } : new Promise(() => undefined)
  }
  const site = await place(t, { handshake: { session }, rest: { timeout: '1 minute' } })
  assert.equal((await site.ticket('sid=u1')).status, 200)
  const hanging = Array.from({ length: 60 }, (_, nth) => site.ask(`Cookie: sid=x${nth}`))
  await openPage(site, 'u1')
  void Promise.allSettled(hanging)
})

test('honest: a policy whose resolver reads nothing works without any credential', async t => {
  const site = await place(t, {
    handshake: { session: () => ({ id: 'a', user: 'a' }), ticket: { dangerouslyWithoutTicket: true } },
  })
  for (let nth = 0; nth < 20; nth++) assert.equal(await site.ask(), 101)
})

test('honest: 100 pages of 10 users whose sockets all die at once are back, without waiting for one another', async t => {
  const site = await place(t)
  await Promise.all(users(100).map((_, nth) => openPage(site, `u-many${nth % 10}`)))
  const back = pages.slice(-100).map(page => new Promise<void>(resolve => page.when('open', () => resolve())))
  for (const page of pages.slice(-100)) page.close()
  for (const page of pages.slice(-100)) page.open()
  await Promise.all(back)
})

test('20 requests for a ticket with one cookie at the same time are one look-up', async t => {
  const site = await place(t, { ms: 100 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => site.ticket('sid=u-same')))
  assert.ok(answers.every(({ status }) => status === 200))
  assert.equal(site.looks(), 1)
})

for (const report of [true, ['handshake/rate']] as const) {
  test(`honest: with report ${JSON.stringify(report)} one user gets 60 tickets with 60 cookies, and events tell what would be denied`, async t => {
    const site = await place(t, { ms: 0, rest: { report } })
    const codes = new Set<number>()
    for (let nth = 0; nth < 60; nth++) codes.add((await site.ticket(`sid=u-rolling; nth=${nth}`)).status)
    assert.deepEqual([...codes], [200])
    const reported = site.guard.counters().denials.filter(({ code }) => code === 'SALLY_HANDSHAKE_RATE')
    assert.ok(reported.length > 0 && reported.every(({ enforced }) => !enforced), JSON.stringify(reported))
  })
}
