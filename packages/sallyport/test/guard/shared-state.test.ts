import assert from 'node:assert/strict'
import { once } from 'node:events'
import { before, describe, test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WebSocket } from 'ws'
import { createGuard, type Guard, type SallyEvent } from '../../src/index.ts'
import { serve } from '../../src/server/serve.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type LibraryCopy, libraryCopy } from '../support/library-copy.ts'

type AnyGuard = Guard<any, any>
interface Lines {
  readonly events: SallyEvent[]
  readonly log: { info(event: object): void; warn(event: object): void; error(event: object): void }
}
interface Site {
  readonly guard: AnyGuard
  readonly events: SallyEvent[]
  open(sid?: string): Promise<WebSocket>
  /** The status of a handshake that is refused; 101 for one that is not. */
  dial(sid?: string, query?: string): Promise<number>
}

let copies: readonly [LibraryCopy, LibraryCopy]
before(async () => {
  copies = [await libraryCopy('one'), await libraryCopy('two')]
})

const lines = (): Lines => {
  const events: SallyEvent[] = []
  const note = (event: object): void => void events.push(event as SallyEvent)
  return { events, log: { info: note, warn: note, error: note } }
}
let serial = 0
const freshName = (): string => `shared-${process.pid}-${++serial}`

/** Sessions are named by the cookie: `user-n`, begun a minute ago. */
const policyOf = (rest: object, log: Lines['log']): any => ({
  handshake: {
    origin: { allow: ['http://localhost:3000'] },
    session: (request: { cookie(name: string): string | undefined }) => {
      const sid = request.cookie('sid')
      return sid === undefined ? null : { id: sid, user: sid.split('-')[0], issuedAt: Date.now() - 60_000 }
    },
    host: { allow: ['127.0.0.1'] },
    ticket: { dangerouslyWithoutTicket: true },
  },
  message: { schema: { dangerouslyAcceptAnyMessage: true } },
  events: { log },
  ...rest,
})

async function site(t: TestContext, rest: object, library?: LibraryCopy): Promise<Site> {
  const { events, log } = lines()
  const guard = (library?.index.createGuard ?? createGuard)(policyOf(rest, log)) as AnyGuard
  const app = await (library?.server.serve ?? serve)({
    guard: guard as any,
    host: '127.0.0.1',
    port: 0,
    message: () => undefined,
  })
  const sockets: WebSocket[] = []
  t.after(async () => {
    for (const socket of sockets) socket.terminate()
    await app.close({ withinMs: 0 })
  })
  const socketOf = (sid: string, query = ''): WebSocket => {
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}/ws${query}`, {
      origin: 'http://localhost:3000',
      headers: { cookie: `sid=${sid}` },
    })
    socket.on('error', () => undefined)
    sockets.push(socket)
    return socket
  }
  return {
    guard,
    events,
    async open(sid = 'ann-1') {
      const socket = socketOf(sid)
      await once(socket, 'open')
      return socket
    },
    dial(sid = 'ann-1', query = '') {
      const socket = socketOf(sid, query)
      return new Promise(resolve => {
        socket.on('open', () => resolve(101))
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
      })
    },
  }
}

const closeOf = async (socket: WebSocket): Promise<number> => ((await once(socket, 'close')) as [number])[0]
const notices = ({ events }: { events: SallyEvent[] }): string[] =>
  events.filter(({ kind }) => kind === 'notice').map(({ description }) => description.split(';')[0]!)
const TWIN = 'a guard of an equal policy without a name is in this process'
const COPY = 'another copy of the library is in this process'

describe('two copies of the library in one process, as a bundler makes them', () => {
  for (const [name, rest] of [
    ['of one name', () => ({ name: freshName() })],
    ['without a name, of an equal policy', () => ({ lifetime: { idle: { after: 900_000 + ++serial } } })],
    ['of one name, each with a store of its own', () => ({ name: freshName(), store: 'own' })],
  ] as const) {
    for (const target of [{ session: 'ann-1' }, { user: 'ann' }, 'all'] as const) {
      test(`${name}: revoke(${JSON.stringify(target)}) of the one closes the sockets of the other, and keeps them out`, async t => {
        const base = rest()
        const part = (): object => ({ ...base, ...('store' in base && { store: createMemoryStore() }) })
        const [one, other] = [await site(t, part(), copies[0]), await site(t, part(), copies[1])]
        const closed = closeOf(await other.open())
        await one.guard.revoke(target)
        assert.equal(await closed, 4401)
        assert.equal(await other.dial(), 401)
        assert.equal(await one.dial(), 401)
        assert.deepEqual(notices(one), [COPY])
        assert.deepEqual(notices(other), [COPY])
      })
    }
  }

  test('a ticket of the one opens at the other, once', async t => {
    const name = freshName()
    const withTicket = (copy: LibraryCopy): Promise<Site> => {
      const { handshake } = policyOf({}, lines().log)
      return site(t, { name, handshake: { ...handshake, ticket: { carrier: 'query' } } }, copy)
    }
    const [one, other] = [await withTicket(copies[0]), await withTicket(copies[1])]
    const asked = new Request('http://localhost:3000/.sallyport/ticket?path=/ws', {
      method: 'POST',
      headers: { origin: 'http://localhost:3000', cookie: 'sid=ann-1', host: 'localhost:3000' },
    })
    const { ticket } = (await (await one.guard.ticket(asked, { ip: '127.0.0.1' })).json()) as { ticket: string }
    const dial = (at: Site): Promise<number> => at.dial('ann-1', `?ticket=${ticket}`)
    assert.equal(await dial(other), 101)
    assert.equal(await dial(one), 403)
    assert.equal(await dial(other), 403)
  })

  test('of different names: nothing is shared, whatever else is equal', async t => {
    const [one, other] = [
      await site(t, { name: freshName() }, copies[0]),
      await site(t, { name: freshName() }, copies[1]),
    ]
    const socket = await other.open()
    for (const target of [{ session: 'ann-1' }, { user: 'ann' }, 'all'] as const) await one.guard.revoke(target)
    assert.equal(await other.dial(), 101)
    assert.equal(socket.readyState, WebSocket.OPEN)
    assert.deepEqual([...notices(one), ...notices(other)], [])
  })

  test('without names, of different policies: nothing is shared', async t => {
    const [one, other] = [
      await site(t, { lifetime: { idle: { after: 800_000 + ++serial } } }, copies[0]),
      await site(t, { lifetime: { idle: { after: 800_000 + ++serial } } }, copies[1]),
    ]
    await one.guard.revoke('all')
    assert.equal(await other.dial(), 101)
    assert.deepEqual([...notices(one), ...notices(other)], [])
  })
})

describe('several guards of one copy of the library', () => {
  test('of one name: a revocation reaches both, and what is made later keeps it', async t => {
    const name = freshName()
    const [one, other] = [await site(t, { name }), await site(t, { name })]
    const closed = closeOf(await other.open())
    await one.guard.revoke({ session: 'ann-1' })
    assert.equal(await closed, 4401)
    const third = await site(t, { name })
    assert.equal(await third.dial('ann-1'), 401)
    assert.equal(await third.dial('bob-1'), 101)
    assert.deepEqual(notices(one), [])
    assert.match(notices(other).join(), /with others of its name/)
  })

  test('a hundred of equal policies without a name are strangers to each other', async t => {
    const part = { lifetime: { idle: { after: 700_000 + ++serial } } }
    const many = await Promise.all(Array.from({ length: 100 }, () => site(t, part)))
    const socket = await many[50]!.open()
    await Promise.all(many.filter((_, at) => at !== 50).map(({ guard }) => guard.revoke('all')))
    assert.equal(await many[50]!.dial(), 101)
    assert.equal(socket.readyState, WebSocket.OPEN)
    // All but the first say that they do not belong together.
    assert.deepEqual(new Set(many.flatMap(notices)), new Set([TWIN]))
    assert.equal(many.flatMap(notices).length, 99)
  })

  test('a guard without a name does not go on with the state of one that has drained', async t => {
    const part = { lifetime: { idle: { after: 600_000 + ++serial } } }
    const one = await site(t, part)
    await one.guard.revoke('all')
    await one.guard.drain({ withinMs: 0 })
    const other = await site(t, part)
    assert.equal(await other.dial(), 101)
    assert.equal(one.guard.policy.name, other.guard.policy.name)
  })

  for (const target of [{ session: 'ann-1' }, { user: 'ann' }] as const) {
    test(`of two names on one store: ${JSON.stringify(target)} holds for both`, async t => {
      const store = createMemoryStore()
      const [one, other] = [await site(t, { name: freshName(), store }), await site(t, { name: freshName(), store })]
      const closed = closeOf(await other.open())
      await one.guard.revoke(target)
      assert.equal(await closed, 4401)
      assert.equal(await other.dial(), 401)
    })
  }

  test("of two names on one store: 'all' ends its own name alone, and a later sign-in is let in", async t => {
    const store = createMemoryStore()
    const [one, other] = [await site(t, { name: freshName(), store }), await site(t, { name: freshName(), store })]
    const [own, foreign] = [await one.open(), await other.open()]
    const closed = closeOf(own)
    await one.guard.revoke('all')
    assert.equal(await closed, 4401)
    assert.equal(await one.dial(), 401)
    assert.equal(await other.dial(), 101)
    assert.equal(foreign.readyState, WebSocket.OPEN)
  })

  test('what stands for everybody in the store can be neither a session nor revoked by its text', async t => {
    const name = freshName()
    const everybody = `\0sallyport: everybody of ${name}`
    const one = await site(t, { name, store: createMemoryStore() })
    const socket = await one.open()
    await assert.rejects(one.guard.revoke({ user: everybody }), /user is a text that no session can have/)
    await assert.rejects(one.guard.revoke({ session: everybody }), /session is a text that no session can have/)
    assert.equal(socket.readyState, WebSocket.OPEN)
  })

  test('a store that is away: the revocation holds in this process all the same', async t => {
    const memory = createMemoryStore()
    const store = { ...memory, revoke: () => Promise.reject(new Error('away')) }
    const one = await site(t, { name: freshName(), store })
    const closed = closeOf(await one.open())
    await assert.rejects(one.guard.revoke({ session: 'ann-1' }), /away/)
    assert.equal(await closed, 4401)
    assert.equal(await one.dial(), 401)
  })

  test('a guard that nobody uses any more is not kept alive by one of its name', async t => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const name = freshName()
    const kept = await site(t, { name })
    const dropped = Array.from({ length: 20 }, () => new WeakRef(createGuard(policyOf({ name }, lines().log))))
    await kept.guard.revoke({ session: 'ann-1' })
    for (let round = 0; round < 20 && dropped.some(one => one.deref() !== undefined); round++) {
      await new Promise(setImmediate)
      gc()
    }
    assert.equal(dropped.filter(one => one.deref() !== undefined).length, 0)
    assert.equal(await kept.dial(), 401)
  })

  test('a library of another version shares nothing, and an event says so', async t => {
    const versions = Reflect.get(globalThis, Symbol.for('sallyport.shared')) as Record<string, unknown>
    versions['999'] = 'of an unknown shape'
    t.after(() => delete versions['999'])
    const one = await site(t, { name: freshName() })
    assert.deepEqual(notices(one), ['another version of the library is in this process'])
    assert.equal(await one.dial(), 101)
  })
})
