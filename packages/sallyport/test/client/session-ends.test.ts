import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { connect, type Connection } from '../../src/client/index.ts'
import { createGuard, type Guard } from '../../src/index.ts'
import { serve } from '../../src/server/serve.ts'
import { freePort } from '../support/world.ts'

type In = { readonly type: 'greeting'; readonly session: string }

interface World {
  /** What the cookie of the page stands for now; undefined: nobody is signed in. */
  session: { readonly id: string; readonly user: string; readonly lifeMs?: number } | undefined
  readonly guard: Guard
  /** Connects as a page does, and collects the sessions that greeted it, `signin` and close reasons. */
  page(): { readonly connection: Connection<never, In>; readonly told: (count: number) => Promise<readonly string[]> }
}

async function worldOf(t: TestContext, lifetime: object = {}): Promise<World> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const headers = { origin, cookie: 'sid=a' }
  const world: { session: World['session'] } = { session: { id: 's1', user: 'ann' } }
  const guard = createGuard({
    handshake: {
      origin: { allow: [origin] },
      session: () => {
        if (world.session === undefined) return null
        const { id, user, lifeMs } = world.session
        return { id, user, ...(lifeMs !== undefined && { expiresAt: Date.now() + lifeMs }) }
      },
    },
    message: { schema: { chat: { type: 'object', properties: {} } } },
    lifetime,
  } as Parameters<typeof createGuard>[0]) as unknown as Guard
  const app = await serve({
    port,
    guard,
    handlers: { chat() {} } as never,
    open: connection => void connection.send({ type: 'greeting', session: connection.session.id }),
  })
  t.after(() => app.close({ withinMs: 0 }))
  class Page extends WebSocket {
    constructor(url: string, protocols: string[] = []) {
      super(url, protocols, { headers })
    }
  }
  return Object.assign(world, {
    guard,
    page() {
      const connection = connect<never, In>(`ws://localhost:${port}/ws`, {
        WebSocket: Page,
        fetch: (url, init) => fetch(url, { ...init, headers }),
        backoff: { min: 1, max: 1 },
      })
      t.after(() => connection.close())
      const lines: string[] = []
      let wake = (): void => undefined
      const tell = (line: string): void => {
        lines.push(line)
        wake()
      }
      connection.on('greeting', ({ session }) => tell(session))
      connection.when('close', ({ reason }) => tell(reason))
      connection.when('signin', () => tell('signin'))
      return {
        connection,
        async told(count: number) {
          while (lines.length < count) await new Promise<void>(resolve => (wake = resolve))
          return lines
        },
      }
    },
  })
}

describe('a session that ends on the server', () => {
  test('at its expiry, and was renewed over HTTP: the page goes on by itself', async t => {
    const world = await worldOf(t)
    world.session = { id: 's1', user: 'ann', lifeMs: 300 }
    const { connection, told } = world.page()
    await told(1)
    world.session = { id: 's1', user: 'ann', lifeMs: 3_600_000 }
    assert.deepEqual(await told(3), ['s1', 'SALLY_LIFETIME_EXPIRED', 's1'])
    assert.equal(connection.state, 'open')
  })

  test('at its expiry, and was not renewed: the page says signin', async t => {
    const world = await worldOf(t)
    world.session = { id: 's1', user: 'ann', lifeMs: 300 }
    const { connection, told } = world.page()
    await told(1)
    world.session = undefined
    assert.deepEqual(await told(3), ['s1', 'SALLY_LIFETIME_EXPIRED', 'signin'])
    assert.equal(connection.state, 'closed')
  })

  test('by a re-check that finds another session: the page goes on with that one', async t => {
    const world = await worldOf(t, { session: { recheck: '50 ms' } })
    const { told } = world.page()
    await told(1)
    world.session = { id: 's2', user: 'bob' }
    assert.deepEqual(await told(3), ['s1', 'SALLY_LIFETIME_INVALID', 's2'])
  })

  test('by logout: the page says signin', async t => {
    const world = await worldOf(t)
    const { connection, told } = world.page()
    await told(1)
    world.session = undefined
    await world.guard.revoke({ session: 's1' })
    assert.deepEqual(await told(3), ['s1', 'SALLY_LIFETIME_REVOKED', 'signin'])
    assert.equal(connection.state, 'closed')
  })

  test('by a new id at login, the old one being revoked: the page goes on with the new one', async t => {
    const world = await worldOf(t)
    const { told } = world.page()
    await told(1)
    world.session = { id: 's2', user: 'ann' }
    await world.guard.revoke({ session: 's1' })
    assert.deepEqual(await told(3), ['s1', 'SALLY_LIFETIME_REVOKED', 's2'])
  })
})
