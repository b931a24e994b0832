import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Connection } from '../../src/client/index.ts'
import { type In, next, openFake, type Out } from './client-fixtures.ts'
import { withPage } from './fake-page.ts'
import { settle } from './fake-socket.ts'

type Listen = (connection: Connection<Out, In>) => () => void

const LISTENS: readonly (readonly [name: string, listen: Listen])[] = [
  ['onMessage', connection => connection.onMessage(() => undefined)],
  ['on', connection => connection.on('chat', () => undefined)],
  ['onBinary', connection => connection.onBinary(() => undefined)],
]

describe('after an idle close', () => {
  for (const [name, listen] of LISTENS) {
    it(`a page in view that listens by ${name} comes back`, () =>
      withPage('visible', async () => {
        const { connection, made } = await openFake()
        listen(connection)
        connection.when('idle', () => assert.fail('it does not rest'))
        made[0]?.accept()
        made[0]?.end(4408, 'SALLY_IDLE')
        assert.equal(connection.state, 'waiting')
        await next(connection, 'state')
        await settle()
        made[1]?.accept()
        assert.equal(connection.state, 'open')
      }))

    it(`a hidden page that listens by ${name} rests, and comes back when it is looked at`, () =>
      withPage('hidden', async ({ page, tab }) => {
        const { connection, made } = await openFake()
        listen(connection)
        made[0]?.accept()
        made[0]?.end(4408, 'SALLY_IDLE')
        assert.equal(connection.state, 'resting')
        page.dispatchEvent(new Event('online'))
        assert.equal(connection.state, 'resting', 'nobody looks at it')
        tab.visibilityState = 'visible'
        tab.dispatchEvent(new Event('visibilitychange'))
        assert.equal(connection.state, 'connecting')
        await settle()
        assert.equal(made.length, 2)
      }))

    it(`a page that no longer listens by ${name} rests`, () =>
      withPage('visible', async ({ tab }) => {
        const { connection, made } = await openFake()
        listen(connection)()
        made[0]?.accept()
        made[0]?.end(4408, 'SALLY_IDLE')
        assert.equal(connection.state, 'resting')
        tab.dispatchEvent(new Event('visibilitychange'))
        await settle()
        assert.equal(made.length, 1)
      }))
  }

  it('close() while it rests is obeyed when the page is looked at again', () =>
    withPage('hidden', async ({ page, tab }) => {
      const { connection, made } = await openFake()
      connection.onMessage(() => undefined)
      made[0]?.accept()
      made[0]?.end(4408)
      connection.close()
      tab.visibilityState = 'visible'
      tab.dispatchEvent(new Event('visibilitychange'))
      page.dispatchEvent(new Event('pageshow'))
      await settle()
      assert.equal(made.length, 1)
      assert.equal(connection.state, 'closed')
    }))

  it('a program without a page that listens comes back too: nobody else would wake it', async () => {
    const { connection, made } = await openFake()
    connection.onMessage(() => undefined)
    made[0]?.accept()
    made[0]?.end(4408)
    assert.equal(connection.state, 'waiting')
  })
})
