import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stringify } from 'yaml'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { meet } from '../../src/config/route-overlaps.ts'
import { goodConfig } from './good-config.ts'

describe('whether some path is meant by both', () => {
  const rows: readonly [a: string, b: string, both: boolean][] = [
    ['/ws', '/ws', true],
    ['/ws', '/ws2', false],
    ['/ws', '/ws/', false],
    ['/ws/*', '/ws/a', true],
    ['/ws/*', '/ws', false],
    ['/ws/*', '/ws/', false],
    ['/ws/*', '/wsa', false],
    ['/*', '/a', true],
    ['/*', '/a/*', true],
    ['/a/*', '/a/b/*', true],
    ['/a/*', '/b/*', false],
    ['/a/*', '/ab/*', false],
  ]
  for (const [a, b, both] of rows) {
    test(`${a} and ${b}`, () => {
      assert.equal(meet(a, b), both)
      assert.equal(meet(b, a), both)
    })
  }
})

describe('routes that overlap', () => {
  const rows: readonly [name: string, second: (route: any) => void, path: string | null][] = [
    ['same host and path', () => {}, 'routes.second.path'],
    ['same host in other letters', r => (r.hosts = ['APP.Example.com']), 'routes.second.path'],
    ['one host of several', r => (r.hosts = ['b.example.com', 'app.example.com']), 'routes.second.path'],
    ['a pattern over a path', r => (r.path = '/*'), 'routes.second.path'],
    [
      'a ticket endpoint on a WebSocket path',
      r => Object.assign(r, { path: '/other', ticketPath: '/ws' }),
      'routes.second.ticketPath',
    ],
    [
      'two pages of one prefix',
      r => Object.assign(r, { path: '/other', http: { upstream: 'app' } }),
      'routes.second.http',
    ],
    [
      'the client script on another route’s tickets',
      r => Object.assign(r, { path: '/other', ticketPath: '/b/ticket', clientPath: '/.sallyport/ticket' }),
      'routes.second.clientPath',
    ],
    [
      'tickets on another route’s client script',
      r => Object.assign(r, { path: '/other', ticketPath: '/.sallyport/client.js', clientPath: false }),
      'routes.second.ticketPath',
    ],
    ['the client script off', r => Object.assign(r, { path: '/other', clientPath: false }), null],
    ['the client script elsewhere', r => Object.assign(r, { path: '/other', clientPath: '/assets/ws.js' }), null],
    ['another host', r => (r.hosts = ['b.example.com']), null],
    ['every other host', r => delete r.hosts, null],
    ['another path', r => (r.path = '/other'), null],
    ['one ticket endpoint for both', r => Object.assign(r, { path: '/other', ticketPath: '/.sallyport/ticket' }), null],
    [
      'two pages of two prefixes',
      r => Object.assign(r, { path: '/other', http: { path: '/b', upstream: 'app' } }),
      null,
    ],
  ]
  for (const [name, second, path] of rows) {
    test(name, () => {
      const config = goodConfig()
      config.routes.chat.http = { upstream: 'app' }
      config.routes.second = { ...goodConfig().routes.chat }
      second(config.routes.second)
      const parse = (): unknown => parseConfig(stringify(config), { file: 'gateway.yaml', env: {} })
      if (path === null) {
        parse()
        return
      }
      assert.throws(parse, error => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(
          error.problems.map(problem => problem.path),
          [path],
        )
        // Both places: its own, and the other's in the message.
        assert.match(error.problems[0]!.message, /routes\.chat \(gateway\.yaml:\d+:\d+\)/)
        return true
      })
    })
  }
})
