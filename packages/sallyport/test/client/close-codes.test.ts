import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { actionOf } from '../../src/client/close-codes.ts'
import { connect, type Lifecycle } from '../../src/client/index.ts'
import { FakeSocket, fakeSockets, settle } from './fake-socket.ts'

const TABLE = [
  { code: 1000, action: 'stop', means: 'done' },
  { code: 1001, action: 'reconnect', means: 'the server goes away' },
  { code: 1002, action: 'error', means: 'this client broke the protocol' },
  { code: 1003, action: 'error', means: 'this client sent the wrong kind' },
  { code: 1005, action: 'reconnect', means: 'a proxy gave no code' },
  { code: 1006, action: 'reconnect', means: 'the network broke, or the handshake was refused' },
  { code: 1007, action: 'error', means: 'this client sent broken text' },
  { code: 1008, action: 'stop', means: 'policy' },
  { code: 1008, reason: 'SALLY_MESSAGE_STRIKES', action: 'stop', means: 'policy, by name' },
  { code: 1008, reason: 'SALLY_MESSAGE_RATE', action: 'slow', means: 'too many messages' },
  { code: 1009, action: 'error', means: 'this client sent too much at once' },
  { code: 1010, action: 'error', means: 'this client misses an extension' },
  { code: 1011, action: 'reconnect', means: 'the server failed' },
  { code: 1012, action: 'reconnect', means: 'the server restarts' },
  { code: 1013, action: 'slow', means: 'the server has too much to do' },
  { code: 4401, action: 'signin', means: 'the session is over' },
  { code: 4401, reason: 'SALLY_LIFETIME_REVOKED', action: 'signin', means: 'the session was revoked' },
  {
    code: 4401,
    reason: 'SALLY_AUTHENTICATION_DEADLINE',
    action: 'reconnect',
    means: 'the first message came too late',
  },
  {
    code: 4401,
    reason: 'SALLY_LIFETIME_EXPIRED',
    action: 'reconnect',
    means: 'the session ended, and may have been renewed over HTTP',
  },
  {
    code: 4401,
    reason: 'SALLY_LIFETIME_INVALID',
    action: 'reconnect',
    means: 'the session is another one now',
  },
  { code: 4401, reason: 'SALLY_LIFETIME_EXPIRED_X', action: 'signin', means: 'a reason of somebody else' },
  { code: 4403, action: 'stop', means: 'forbidden' },
  { code: 4408, action: 'rest', means: 'idle' },
  { code: 4409, action: 'reconnect', means: 'too old' },
  { code: 4429, action: 'slow', means: 'slow down' },
  { code: 3999, action: 'reconnect', means: "somebody else's code" },
] as const

const OUTCOMES = {
  reconnect: { state: 'waiting', event: 'retry', atLeast: 0, below: 500 },
  slow: { state: 'waiting', event: 'retry', atLeast: 5000, below: 5500 },
  rest: { state: 'resting', event: 'idle' },
  signin: { state: 'closed', event: 'signin' },
  stop: { state: 'closed', event: 'stop' },
  error: { state: 'closed', event: 'error' },
} as const

describe('after a close', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(() => mock.timers.reset())

  for (const { code, action, means, ...row } of TABLE) {
    const reason = 'reason' in row ? row.reason : ''
    it(`${code} ${reason} (${means}): ${action}`, async () => {
      assert.equal(actionOf(code, reason), action)
      const { WebSocket, made } = fakeSockets()
      const connection = connect('wss://app.company.com/ws', { ticket: false, WebSocket })
      const heard: string[] = []
      let delay = -1
      for (const name of ['retry', 'idle', 'signin', 'stop', 'error'] as const satisfies readonly (keyof Lifecycle)[])
        connection.when(name, () => heard.push(name))
      connection.when('retry', ({ delayMs }) => {
        delay = delayMs
      })
      connection.when('stop', what => assert.equal(what.code, code))
      connection.when('error', what => assert.equal(what.code, code))
      await settle()
      made[0]?.accept()
      made[0]?.end(code, reason)
      const outcome = OUTCOMES[action]
      assert.equal(connection.state, outcome.state)
      assert.deepEqual(heard, [outcome.event])
      if ('atLeast' in outcome) {
        assert.ok(delay >= outcome.atLeast && delay < outcome.below, `${delay} ms`)
        mock.timers.tick(Math.floor(delay) - 1 > 0 ? Math.floor(delay) - 1 : 0)
        mock.timers.tick(2)
      } else {
        mock.timers.tick(3_600_000)
      }
      await settle()
      assert.equal(made.length, 'atLeast' in outcome ? 2 : 1)
      assert.ok(made[0] instanceof FakeSocket)
      connection.close()
    })
  }
})
