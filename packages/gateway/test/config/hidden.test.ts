import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stringify } from 'yaml'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { goodConfig } from './good-config.ts'
import { noFile, problemsAfter } from './problems.ts'

describe('what came from the environment or a mounted file is never shown', () => {
  const HIDDEN = 'https://hidden-value.example/with/path'
  const cases: readonly [name: string, change: (config: any) => void][] = [
    ['an origin', c => (c.routes.chat.handshake.origin.allow = ['${HIDDEN}'])],
    ['a host', c => (c.routes.chat.hosts = ['${HIDDEN}'])],
    ['a target', c => (c.upstreams.app.targets = ['${HIDDEN}'])],
    ['a choice', c => (c.upstreams.app.balance = '${HIDDEN}')],
    ['a duration', c => (c.drain = '${HIDDEN}')],
    ['a ticket secret', c => (c.routes.chat.handshake.ticket = { secret: '${HIDDEN}x', ttl: 'no' })],
    ['a header value', c => (c.routes.chat.relay = { headers: { X: '${HIDDEN}\n' } })],
    ['a report', c => (c.routes.chat.report = ['${HIDDEN}'])],
    ['an upstream', c => (c.routes.chat.upstream = '${HIDDEN}')],
    [
      'a JWKS',
      c =>
        (c.routes.chat.session = {
          jwt: { jwks: '${HIDDEN}', secret: '${HIDDEN}', algorithms: ['x'], issuer: 'i', audience: 'a', cookie: 't' },
        }),
    ],
    ['a schema', c => (c.routes.chat.message.outbound = '${HIDDEN}')],
  ]
  for (const [name, change] of cases) {
    test(name, () => {
      const config = goodConfig()
      change(config)
      try {
        parseConfig(stringify(config), { file: 'f', env: { HIDDEN }, readFile: noFile })
        assert.fail('it was accepted')
      } catch (error) {
        assert.ok(error instanceof ConfigError)
        assert.doesNotMatch(JSON.stringify(error.problems) + error.message, /hidden-value/)
      }
    })
  }

  test('a mounted secret that is too short tells its length alone', () => {
    const problems = problemsAfter(
      config => (config.admin = { address: '127.0.0.1:1', token: 'file:token' }),
      {},
      () => 'hidden-value\n',
    )
    assert.equal(problems[0]?.value, '(hidden, 12 bytes)')
    assert.doesNotMatch(JSON.stringify(problems), /hidden-value/)
  })

  test('a secret written out tells its length alone', () => {
    const problems = problemsAfter(config => (config.admin = { address: '127.0.0.1:1', token: 'hidden-value' }))
    assert.doesNotMatch(JSON.stringify(problems), /hidden-value/)
  })
})
