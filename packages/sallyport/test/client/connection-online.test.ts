import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { APP_URL, open } from './client-fixtures.ts'
import { fakeSockets, settle } from './fake-socket.ts'

const define = (name: string, value: unknown): void => {
  Object.defineProperty(globalThis, name, { value, configurable: true })
}

const withPage = async (
  visibility: string,
  run: (page: EventTarget, tab: EventTarget) => Promise<void>,
): Promise<void> => {
  const page = new EventTarget()
  const tab = Object.assign(new EventTarget(), { visibilityState: visibility })
  define('addEventListener', page.addEventListener.bind(page))
  define('removeEventListener', page.removeEventListener.bind(page))
  define('document', tab)
  try {
    await run(page, tab)
  } finally {
    for (const name of ['addEventListener', 'removeEventListener', 'document']) Reflect.deleteProperty(globalThis, name)
  }
}

describe('coming online', () => {
  const LONG = { min: 1_000_000, max: 1_000_000 }

  it('leaves no listener on the page when it ends', () =>
    withPage('visible', async (page, tab) => {
      const removed = [page, tab].map(target => mock.method(target, 'removeEventListener'))
      define('removeEventListener', page.removeEventListener.bind(page))
      const { WebSocket } = fakeSockets()
      connect(APP_URL, { ticket: false, WebSocket }).close()
      assert.deepEqual(
        removed.map(({ mock: { calls } }) => calls.map(({ arguments: [name] }) => name)),
        [['online'], ['visibilitychange']],
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
      withPage(visibility, async (page, tab) => {
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
