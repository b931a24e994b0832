import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stringify } from 'yaml'
import { parseConfigFully } from '../../src/config/parse.ts'
import { goodConfig, SECRET } from './good-config.ts'
import { problemsAfter } from './problems.ts'

test('what weakens is told', () => {
  const config = goodConfig()
  config.listeners.public.address = '0.0.0.0:80'
  config.upstreams.app = { targets: ['ws://10.0.0.5:1'], tls: { dangerouslyAcceptAnyCertificate: true } }
  config.routes.chat.session.forwardAuth.url = 'http://auth.internal/me'
  const { weakened } = parseConfigFully(stringify(config), { file: 'f', env: {} })
  assert.deepEqual(
    weakened.map(({ path }) => path),
    [
      'listeners.public',
      'upstreams.app.tls.dangerouslyAcceptAnyCertificate',
      'upstreams.app',
      'routes.chat.session.forwardAuth.url',
    ],
  )
  assert.deepEqual(parseConfigFully(stringify(goodConfig()), { file: 'f', env: {} }).weakened, [])
})

describe('what goes in clear to another machine', () => {
  const REASON = 'compose.yaml gives these two a network of their own'
  const store = { redis: { url: 'redis://cache:6379', secret: SECRET } }
  const parse = (
    change: (config: any) => void,
    env: Record<string, string> = {},
  ): ReturnType<typeof parseConfigFully> => {
    const config = goodConfig()
    change(config)
    return parseConfigFully(stringify(config), { file: 'f', env })
  }
  const places: readonly [
    name: string,
    path: string,
    of: (config: any) => any,
    told: string,
    change: (config: any) => void,
  ][] = [
    [
      'an upstream',
      'upstreams.app',
      config => config.upstreams.app,
      'messages and identity go in clear to backend:9000',
      config => (config.upstreams.app.targets = ['ws://127.0.0.1:1', 'http://backend:9000']),
    ],
    [
      'forwardAuth',
      'routes.chat.session.forwardAuth.url',
      config => config.routes.chat.session.forwardAuth,
      'cookies go in clear to backend:9000',
      config => (config.routes.chat.session.forwardAuth.url = 'http://backend:9000/me'),
    ],
    [
      'Redis',
      'store.redis.url',
      config => config.store.redis,
      'what gateways tell Redis goes in clear',
      config => (config.store = structuredClone(store)),
    ],
  ]
  for (const [name, path, of, told, change] of places) {
    test(`${name}: weakened, and what to write is told`, () => {
      const [weak, ...others] = parse(change).weakened
      assert.deepEqual(others, [])
      assert.deepEqual([weak!.path, weak!.accepted], [path, null])
      assert.ok(
        weak!.message.startsWith(`${told}: `) && weak!.message.endsWith('dangerouslyAllowPlaintext'),
        weak!.message,
      )
    })
    test(`${name}: with a reason it is still told, as accepted, and what runs is the same`, () => {
      const { weakened, config } = parse(file => {
        change(file)
        of(file).dangerouslyAllowPlaintext = REASON
      })
      assert.deepEqual(weakened, [{ path, message: told, accepted: REASON }])
      assert.deepEqual(config, parse(change).config)
    })
    for (const [what, value, env] of [
      ['true', true, {}],
      ['no words', '-', {}],
      ['two words', 'it is', {}],
      ['two lines', 'a network\nof their own here', {}],
      ['a book', 'a network of their own '.repeat(20), {}],
      ['what the environment says', '${WHY}', { WHY: REASON }],
    ] as const) {
      test(`${name}: ${what} is no reason`, () => {
        const problems = problemsAfter(file => {
          change(file)
          of(file).dangerouslyAllowPlaintext = value
        }, env)
        assert.deepEqual(
          problems.map(problem => problem.path),
          [`${path.replace(/\.url$/, '')}.dangerouslyAllowPlaintext`],
        )
        assert.match(problems[0]!.remedy, /^write /)
      })
    }
  }
  test('one accepts for itself alone', () => {
    const { weakened } = parse(config => {
      config.upstreams.app = { targets: ['ws://a.internal:1'], dangerouslyAllowPlaintext: REASON }
      config.upstreams.other = { targets: ['ws://b.internal:1'] }
    })
    assert.deepEqual(
      weakened.map(({ path, accepted }) => [path, accepted]),
      [
        ['upstreams.app', REASON],
        ['upstreams.other', null],
      ],
    )
  })
  test('from the environment: weakened all the same, and not shown', () => {
    const { weakened } = parse(
      config => {
        config.upstreams.app.targets = ['${TARGET}']
        config.routes.chat.session.forwardAuth.url = '${AUTH}'
      },
      { TARGET: 'ws://hidden.internal:1', AUTH: 'http://hidden.internal/me' },
    )
    assert.deepEqual(
      weakened.map(({ path, message }) => [path, message.slice(0, message.indexOf(':'))]),
      [
        ['upstreams.app', 'messages and identity go in clear to ${TARGET}'],
        ['routes.chat.session.forwardAuth.url', 'cookies go in clear to ${AUTH}'],
      ],
    )
  })
})
