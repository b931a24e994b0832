import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { APP_URL, open } from './client-fixtures.ts'
import { withPage } from './fake-page.ts'
import { fakeSockets, settle } from './fake-socket.ts'

describe('coming online', () => {
  const LONG = { min: 1_000_000, max: 1_000_000 }

  it('leaves no listener on the page when it ends', () =>
    withPage('visible', async ({ page, tab }) => {
      const removed = [page, tab].map(target => mock.method(target, 'removeEventListener'))
      const { WebSocket } = fakeSockets()
      connect(APP_URL, { ticket: false, WebSocket }).close()
      assert.deepEqual(
        removed.map(({ mock: { calls } }) => calls.map(({ arguments: [name] }) => name)),
        [['online', 'pageshow'], ['visibilitychange']],
      )
    }))

  for (const { row, visibility, event, code, expected } of [
    { row: 'tries at once', visibility: 'visible', event: 'online', code: 1006, expected: 2 },
    {
      row: 'tries at once when the tab is looked at again',
      visibility: 'visible',
      event: 'visibilitychange',
      code: 1006,
      expected: 2,
    },
    { row: 'does not try in a hidden tab', visibility: 'hidden', event: 'visibilitychange', code: 1006, expected: 1 },
    {
      row: 'does not shorten a wait that the server asked for',
      visibility: 'visible',
      event: 'online',
      code: 1013,
      expected: 1,
    },
    { row: 'does not revive what is over', visibility: 'visible', event: 'online', code: 4401, expected: 1 },
    { row: 'does not wake what rests', visibility: 'visible', event: 'online', code: 4408, expected: 1 },
  ])
    it(row, () =>
      withPage(visibility, async ({ page, tab }) => {
        const { WebSocket, made } = fakeSockets()
        const connection = open(APP_URL, { ticket: false, WebSocket, backoff: LONG })
        await settle()
        made[0]?.accept()
        made[0]?.end(code)
        ;(event === 'online' ? page : tab).dispatchEvent(new Event(event))
        await settle()
        assert.equal(made.length, expected)
        connection.close()
        page.dispatchEvent(new Event('online'))
        await settle()
        assert.equal(made.length, expected)
      }),
    )
})
