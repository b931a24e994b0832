import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { close, ping, text } from '../server/engine-server.ts'
import { aborted, held, type Held, type State, type Way } from './held-host.ts'

/** Below the heartbeat, and below the patience with a peer that does not answer a close frame. */
const AT_ONCE = { timeout: 4_000 }
const WAYS: readonly Way[] = ['serve', 'tls', 'ws']
const STATES: readonly State[] = ['full', 'judged', 'delayed', 'slow', 'paused']

/** Waits for the close frame; a connection that is not read may get a sign of life before. */
async function hearsClose({ peer }: Held, expected: string): Promise<void> {
  for (let count = 1; ; count++) {
    const line = (await peer.hears(count))[count - 1]!
    if (line.startsWith('pong')) continue
    assert.equal(line, expected)
    return
  }
}

for (const way of WAYS) {
  describe(`a connection that is held back, by ${way}`, () => {
    for (const state of STATES) {
      const isSeen = state !== 'paused'
      if (isSeen && state !== 'slow') {
        test(`${state}: a ping is answered at once`, AT_ONCE, async t => {
          const { peer } = await held(t, { way, state })
          peer.send(ping('a'), ping('b'))
          assert.deepEqual(await peer.hears(2), ['pong a', 'pong b'])
        })
      }
      if (isSeen) {
        test(`${state}: a close frame ends it at once`, AT_ONCE, async t => {
          const one = await held(t, { way, state })
          one.peer.send(close(1000))
          await aborted(one)
          if (state === 'slow') one.peer.socket.resume()
          await one.event(({ kind }) => kind === 'close')
          assert.equal(one.guard.counters().open, 0)
        })

        test(`${state}: the end of the stream ends it at once`, AT_ONCE, async t => {
          const one = await held(t, { way, state })
          one.peer.socket.end()
          if (state === 'slow') one.peer.socket.resume()
          await aborted(one)
        })
      }

      test(`${state}: a reset ends it at once`, AT_ONCE, async t => {
        const one = await held(t, { way, state })
        one.reset()
        await aborted(one)
      })

      test(`${state}: the expiry of the session ends it at once`, AT_ONCE, async t => {
        const one = await held(t, { way, state, expiresIn: 800 })
        await aborted(one)
        await one.event(({ code }) => code === 'SALLY_LIFETIME_EXPIRED')
        if (state !== 'slow') await hearsClose(one, 'close 4401 SALLY_LIFETIME_EXPIRED')
        one.reset()
      })

      test(`${state}: a revocation ends it at once`, AT_ONCE, async t => {
        const one = await held(t, { way, state })
        await one.guard.revoke({ user: 'ann' })
        await aborted(one)
        if (state !== 'slow') await hearsClose(one, 'close 4401 SALLY_LIFETIME_REVOKED')
        one.reset()
      })

      test(`${state}: its age ends it at once`, AT_ONCE, async t => {
        const one = await held(t, { way, state, lifetime: { age: { max: '1 second' } } })
        await aborted(one)
        await one.event(({ code }) => code === 'SALLY_AGE')
        one.reset()
      })
    }

    test('paused: a peer whose process ends later, behind a sign of life, is found too', AT_ONCE, async t => {
      const one = await held(t, { way, state: 'paused' })
      assert.deepEqual(await one.peer.hears(1), ['pong '])
      one.peer.socket.destroy()
      await aborted(one)
    })

    test('paused: a peer whose process ended is found, though its end stands behind what it sent', AT_ONCE, async t => {
      const one = await held(t, { way, state: 'paused' })
      one.peer.socket.destroy()
      await aborted(one)
    })

    test('what waited is handled in order once the handler ends, and nothing is lost', async t => {
      const one = await held(t, { way, state: 'paused' })
      one.release()
      one.peer.send('last')
      while (one.handled.at(-1) !== 'last') await new Promise(setImmediate)
      assert.equal(one.handled.length, 2 + 4_000 + 1)
      assert.deepEqual(one.handled.slice(0, 2), ['first', 'second'])
      one.peer.send(ping('a'))
      while (!one.peer.heard.includes('pong a')) await one.peer.hears(one.peer.heard.length + 1)
    })

    test('attack: a flood behind a full limit: little is read, and its memory is bounded', async t => {
      const { socket, peer } = await held(t, { way, state: 'paused' })
      const before = socket.bytesRead
      // One message and 64 KiB, the handshake and what came before it was held.
      assert.ok(before <= 65_536 + 65_536 + 1_024, `${before} bytes were read`)
      for (let sent = 0; sent < 1_000; sent++) peer.send('x')
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
      assert.equal(socket.bytesRead, before)
    })

    test(
      'honest: what waits for a handler at a clean close is handled once one ends, in order and once',
      AT_ONCE,
      async t => {
        const one = await held(t, { way, state: 'full' })
        one.peer.send(text('third'), close(1000), text('fourth'))
        await one.event(({ kind }) => kind === 'close')
        assert.equal(one.guard.counters().open, 0)
        one.release()
        while (one.handled.length < 3) await new Promise(setImmediate)
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
        assert.deepEqual(one.handled, ['first', 'second', 'third'])
      },
    )

    test(
      'attack: a handler that never ends: the app still gets the close, and nothing follows it',
      AT_ONCE,
      async t => {
        const one = await held(t, { way, state: 'full' })
        one.peer.send(text('third'), close(1000))
        await one.closed
        one.release()
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
        assert.deepEqual(one.handled, ['first'])
      },
    )

    test(
      'honest: what was sent before a clean close is judged and handled, though the verdict comes later',
      AT_ONCE,
      async t => {
        const gates: (() => void)[] = []
        const authorize = (): Promise<boolean> => new Promise(resolve => gates.push(() => resolve(true)))
        const one = await held(t, { way, state: 'judged', message: { authorize } })
        one.peer.send(text('third'), close(1000))
        await one.event(({ kind }) => kind === 'close')
        assert.equal(one.guard.counters().open, 0)
        assert.deepEqual(one.handled, [])
        while (one.handled.length < 3) {
          gates.shift()?.()
          await new Promise(setImmediate)
        }
        assert.deepEqual(one.handled, ['first', 'second', 'third'])
      },
    )

    test('attack: no more handlers run behind a close than may', AT_ONCE, async t => {
      const gates: (() => void)[] = []
      const authorize = (): Promise<boolean> => new Promise(resolve => gates.push(() => resolve(true)))
      const concurrency = { handlers: 2, countListeners: true }
      const one = await held(t, { way, state: 'judged', message: { authorize, concurrency } })
      one.peer.send(text('third'), text('fourth'), close(1000))
      await one.event(({ kind }) => kind === 'close')
      for (let turn = 0; turn < 50; turn++) {
        gates.shift()?.()
        await new Promise(setImmediate)
      }
      assert.deepEqual(one.handled, ['first', 'second'])
    })
  })
}
