import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Session } from 'sallyport'
import { SessionUnavailable } from 'sallyport/session'
import type { ForwardAuthConfig } from '../../src/model/config.ts'
import { forwardAuth } from '../../src/session/forward-auth.ts'
import { fakeRequest } from './fake-request.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let base = ''
let answer: Answer = () => {}
const asked: IncomingMessage[] = []

before(async () => {
  server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.close()
  server.closeAllConnections()
})

const config = (over: Partial<ForwardAuthConfig> = {}): ForwardAuthConfig => ({
  kind: 'forwardAuth',
  url: `${base}/me`,
  timeoutMs: 2000,
  requestHeaders: ['Cookie', 'Authorization'],
  sessionHeader: null,
  userHeader: 'X-User',
  expiresHeader: null,
  cacheMs: 60_000,
  ...over,
})

const yes =
  (headers: Record<string, string | string[]> = {}): Answer =>
  (_, response) => {
    response.writeHead(200, { 'X-User': 'alice', ...headers }).end('the body is not read')
  }

const withCookie = (value: string): ReturnType<typeof fakeRequest> => fakeRequest([['Cookie', value]])

async function ask(
  over: Partial<ForwardAuthConfig> = {},
  request = withCookie('sid=1'),
): Promise<Session | null | undefined> {
  asked.length = 0
  return forwardAuth(config(over))(request)
}

describe('what the endpoint answers, and the result', () => {
  const rows: readonly [
    name: string,
    answer: Answer,
    over: Partial<ForwardAuthConfig>,
    result: 'yes' | 'nobody' | RegExp,
  ][] = [
    ['200', yes(), {}, 'yes'],
    ['204', (_, r) => void r.writeHead(204, { 'X-User': 'alice' }).end(), {}, 'yes'],
    ['299', (_, r) => void r.writeHead(299, { 'X-User': 'alice' }).end(), {}, 'yes'],
    ['401', (_, r) => void r.writeHead(401).end(), {}, 'nobody'],
    ['403', (_, r) => void r.writeHead(403).end(), {}, 'nobody'],
    ['401 with a name all the same', (_, r) => void r.writeHead(401, { 'X-User': 'alice' }).end(), {}, 'nobody'],
    ['300', (_, r) => void r.writeHead(300).end(), {}, /answered 300/],
    [
      '302 to the sign-in page',
      (_, r) => void r.writeHead(302, { Location: `${base}/login` }).end(),
      {},
      /it redirects/,
    ],
    ['304', (_, r) => void r.writeHead(304).end(), {}, /answered 304/],
    ['400', (_, r) => void r.writeHead(400).end(), {}, /answered 400/],
    ['404', (_, r) => void r.writeHead(404).end(), {}, /answered 404/],
    ['407', (_, r) => void r.writeHead(407).end(), {}, /answered 407/],
    ['429', (_, r) => void r.writeHead(429).end(), {}, /answered 429/],
    ['500', (_, r) => void r.writeHead(500).end(), {}, /answered 500/],
    ['no answer in time', () => {}, { timeoutMs: 50 }, /cannot be asked/],
    ['a reset', request => void request.socket.destroy(), {}, /cannot be asked/],
    ['no HTTP', request => void request.socket.end('hello\r\n\r\n'), {}, /cannot be asked/],
    ['headers of 64 KiB', yes({ 'X-Big': 'x'.repeat(64 * 1024) }), {}, /cannot be asked/],
    ['yes without the name that was asked for', yes(), { userHeader: 'X-Other' }, /without a usable X-Other/],
    ['yes with two names', yes({ 'X-User': ['alice', 'bob'] }), {}, /X-User/],
    ['yes with a name of 513 characters', yes({ 'X-User': 'x'.repeat(513) }), {}, /X-User/],
    ['yes with an unreadable expiry', yes({ 'X-Exp': 'tomorrow' }), { expiresHeader: 'X-Exp' }, /unreadable X-Exp/],
    ['yes without the expiry', yes(), { expiresHeader: 'X-Exp' }, /without a usable X-Exp/],
  ]
  for (const [name, given, over, result] of rows) {
    test(name, async () => {
      answer = given
      if (result === 'yes') assert.equal((await ask(over))?.user, 'alice')
      else if (result === 'nobody') assert.equal(await ask(over), null)
      else {
        await assert.rejects(ask(over), error => {
          assert.ok(error instanceof SessionUnavailable)
          assert.match(error.message, result)
          assert.doesNotMatch(error.message, /sid=1/)
          return true
        })
      }
      assert.equal(asked.length, 1, 'a redirect was followed, or it was asked again')
    })
  }

  test('an endpoint that is not there', async () => {
    await assert.rejects(ask({ url: 'http://127.0.0.1:1/me' }), SessionUnavailable)
  })

  test('a body that never ends costs no answer', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'X-User': 'alice' })
      const more = (): void => {
        if (!response.destroyed && !response.writableEnded) response.write('x'.repeat(65_536), () => setImmediate(more))
      }
      more()
    }
    assert.equal((await ask({ timeoutMs: 300 }))?.user, 'alice')
    // Its connection is cut, not read for ever.
    await new Promise(resolve => {
      asked[0]!.socket.once('close', resolve)
    })
  })
})

describe('who it is', () => {
  test('session, user and expiry by the headers that are named', async () => {
    answer = yes({ 'X-Session': 's1', 'X-Exp': '4102444800' })
    const session = await ask({ sessionHeader: 'X-Session', expiresHeader: 'X-Exp' })
    assert.deepEqual(session, { id: 's1', user: 'alice', expiresAt: 4_102_444_800_000 })
  })
  const NONE = { userHeader: null, sessionHeader: null }
  const BY_COOKIE = { ...NONE, cookies: ['sid'] }
  test('by a cookie: a hash of its value stands for session and user, never the value itself', async () => {
    answer = yes()
    const one = await ask(BY_COOKIE)
    assert.equal(one?.user, one?.id)
    assert.equal(one?.id, (await ask(BY_COOKIE))?.id)
    assert.notEqual(one?.id, (await ask(BY_COOKIE, withCookie('sid=2')))?.id)
    assert.doesNotMatch(one!.id, /sid/)
  })
  test('by a cookie and a user header: both', async () => {
    answer = yes()
    const session = await ask({ cookies: ['sid'] })
    assert.equal(session?.user, 'alice')
    assert.equal(session?.id, (await ask(BY_COOKIE))?.id)
  })
  test('by a user header alone: all sessions of the user are one', async () => {
    answer = yes()
    const [one, other] = [await ask(), await ask({}, withCookie('sid=2'))]
    assert.deepEqual(one, other)
    assert.match(one!.id, /^forward-auth-user\./)
    answer = yes({ 'X-User': 'bob' })
    assert.notEqual((await ask())?.id, one?.id)
  })
  for (const [name, cookie] of [
    ['one more cookie', 'sid=1; _ga=GA1.2.3'],
    ['one more cookie in front', 'theme=dark; sid=1'],
    ['without blanks', 'a=b;sid=1;c=d'],
    ['a cookie without a value', 'sid=1; flag'],
    ['the value in quotes', 'sid="1"'],
    ['the value escaped', 'sid=%31'],
    ['a name that only ends alike', 'mysid=2; sid=1'],
  ] as const) {
    test(`the same person: ${name}`, async () => {
      answer = yes()
      for (const over of [BY_COOKIE, {}, { ...NONE, sessionHeader: 'X-User' }]) {
        assert.deepEqual(await ask(over, withCookie(cookie)), await ask(over))
      }
    })
  }
  test('the same person: one more credential beside the cookie', async () => {
    answer = yes()
    const lines: [string, string][] = [
      ['Cookie', 'sid=1'],
      ['Authorization', 'Bearer made-up'],
    ]
    assert.deepEqual(await ask(BY_COOKIE, fakeRequest(lines)), await ask(BY_COOKIE))
  })
  test('without the named cookie the one other credential stands for the session', async () => {
    answer = yes()
    const bearer = (token: string): [string, string] => ['Authorization', `Bearer ${token}`]
    const one = await ask(BY_COOKIE, fakeRequest([bearer('a')]))
    assert.deepEqual(await ask(BY_COOKIE, fakeRequest([bearer('a'), ['Cookie', '_ga=1']])), one)
    assert.notEqual((await ask(BY_COOKIE, fakeRequest([bearer('b')])))?.id, one?.id)
  })
  test('one header that is no Cookie names who it is', async () => {
    answer = yes()
    const over = { ...NONE, requestHeaders: ['X-Api-Key'] }
    const one = await ask(over, fakeRequest([['X-Api-Key', 'k']]))
    const again = await ask(
      over,
      fakeRequest([
        ['X-Api-Key', 'k'],
        ['Cookie', 'a=b'],
      ]),
    )
    assert.deepEqual(again, one)
  })
  for (const [name, over, cookie] of [
    ['the named cookie is not there', BY_COOKIE, '_ga=1'],
    ['the named cookie is there twice', BY_COOKIE, 'sid=1; sid=2'],
    ['one of two is there twice', { ...NONE, cookies: ['a', 'sid'] }, 'a=1; sid=1; sid=1'],
  ] as const) {
    test(`nobody, and nobody is asked: ${name}`, async () => {
      answer = yes()
      assert.equal(await ask(over, withCookie(cookie)), null)
      assert.equal(asked.length, 0)
    })
  }
  test('of a session in two cookies each counts', async () => {
    answer = yes()
    const over = { ...NONE, cookies: ['s.0', 's.1'] }
    const one = await ask(over, withCookie('s.0=a; s.1=b'))
    assert.deepEqual(await ask(over, withCookie('s.1=b; x=y; s.0=a')), one)
    for (const other of ['s.0=a', 's.0=a; s.1=c', 's.0=b; s.1=a']) {
      assert.notEqual((await ask(over, withCookie(other)))?.id, one?.id)
    }
  })
  for (const [name, over, message] of [
    ['nothing is named', NONE, /nothing names the session or the user/],
    ['the Cookie header alone', { ...NONE, requestHeaders: ['cookie'] }, /nothing names the session or the user/],
    ['an empty list of cookies', { ...NONE, cookies: [] }, /nothing names the session or the user/],
    ['a cookie that the endpoint never gets', { cookies: ['sid'], requestHeaders: ['Authorization'] }, /cannot vouch/],
  ] as const) {
    test(`an error at start: ${name}`, () => assert.throws(() => forwardAuth(config(over)), message))
  }
  test('a cookie is ambient, so a ticket is required; Authorization alone is not', () => {
    assert.equal(forwardAuth(config()).ambient, true)
    assert.equal(forwardAuth(config({ requestHeaders: ['Authorization'] })).ambient, false)
  })
})

describe('what is asked', () => {
  test('the credentials, and what the gateway knows; nothing of what else the client sends, and no ticket', async () => {
    answer = yes()
    await ask(
      {},
      fakeRequest([
        ['Host', 'app.example'],
        ['Cookie', 'sid=1'],
        ['X-Forwarded-For', '6.6.6.6'],
        ['X-User', 'root'],
        ['Origin', 'https://evil.example'],
      ]),
    )
    const { headers, method, url } = asked[0]!
    assert.equal(method, 'GET')
    assert.equal(url, '/me')
    assert.equal(headers.cookie, 'sid=1')
    assert.equal(headers['x-forwarded-for'], '203.0.113.9')
    assert.equal(headers['x-forwarded-proto'], 'https')
    assert.equal(headers['x-forwarded-host'], 'app.example')
    assert.equal(headers['x-forwarded-uri'], '/ws')
    assert.equal(headers['x-user'], undefined)
    assert.equal(headers.origin, undefined)
    assert.doesNotMatch(asked[0]!.rawHeaders.join(' '), /secret-ticket/)
  })
  const nobody: readonly [name: string, lines: readonly (readonly [string, string])[]][] = [
    ['no credentials', [['Host', 'a']]],
    [
      'two cookie headers',
      [
        ['Cookie', 'sid=1'],
        ['Cookie', 'sid=2'],
      ],
    ],
    ['credentials of more than 16 KiB', [['Cookie', 'x'.repeat(16 * 1024 + 1)]]],
  ]
  for (const [name, lines] of nobody) {
    test(`nobody, and nobody is asked: ${name}`, async () => {
      answer = yes()
      assert.equal(await ask({}, fakeRequest(lines)), null)
      assert.equal(asked.length, 0)
    })
  }
})

describe('how long an answer is used again', () => {
  async function times(
    over: Partial<ForwardAuthConfig>,
    ...requests: ReturnType<typeof fakeRequest>[]
  ): Promise<number> {
    asked.length = 0
    const find = forwardAuth(config(over))
    for (const request of requests) await Promise.resolve(find(request)).catch(() => null)
    return asked.length
  }
  const two = [withCookie('a=1'), withCookie('a=1')]
  const rows: readonly [name: string, answer: Answer, over: Partial<ForwardAuthConfig>, asked: number][] = [
    ['an acceptance is kept', yes(), {}, 1],
    ['not at all with cache: 0', yes(), { cacheMs: 0 }, 2],
    ['Cache-Control: no-store', yes({ 'Cache-Control': 'no-store' }), {}, 2],
    ['Cache-Control: no-cache', yes({ 'Cache-Control': 'private, no-cache' }), {}, 2],
    ['Cache-Control: max-age=0', yes({ 'Cache-Control': 'max-age=0' }), {}, 2],
    ['Cache-Control: private, max-age=60', yes({ 'Cache-Control': 'private, max-age=60' }), {}, 1],
    ['max-age that is all used up on the way', yes({ 'Cache-Control': 'max-age=60', Age: '60' }), {}, 2],
    ['Expires in the past', yes({ Expires: 'Thu, 01 Jan 1970 00:00:00 GMT' }), {}, 2],
    ['an invalid Expires', yes({ Expires: '0' }), {}, 2],
    ['Vary: *', yes({ Vary: '*' }), {}, 2],
    ['a session that ends now', yes({ 'X-Exp': '1' }), { expiresHeader: 'X-Exp' }, 2],
    ['a refusal is not kept: a user who signs in gets in', (_, r) => void r.writeHead(401).end(), {}, 2],
    ['a failure is not kept', (_, r) => void r.writeHead(500).end(), {}, 2],
  ]
  for (const [name, given, over, count] of rows) {
    test(name, async () => {
      answer = given
      assert.equal(await times(over, ...two), count)
    })
  }
  test('never for other credentials', async () => {
    answer = yes()
    assert.equal(await times({}, withCookie('a=1'), withCookie('a=2'), fakeRequest([['Authorization', 'a=1']])), 3)
  })
  for (const [name, over] of [
    ['path: an acceptance for the ticket, or for one room, would hold for every room', { path: '/ws/admin' }],
    ['method', { method: 'POST' }],
    ['address', { ip: '203.0.113.10' }],
    ['scheme', { secure: false }],
  ] as const) {
    test(`attack: never for another ${name}`, async () => {
      answer = yes()
      assert.equal(await times({}, withCookie('a=1'), fakeRequest([['Cookie', 'a=1']], over)), 2)
    })
  }
  test('attack: never for another host', async () => {
    answer = yes()
    const hosts = ['a.example', 'b.example', 'a.example']
    const requests = hosts.map(host =>
      fakeRequest([
        ['Cookie', 'a=1'],
        ['Host', host],
      ]),
    )
    assert.equal(await times({}, ...requests), 2)
  })
  test('attack: who may enter one room is let into no other by what is kept', async () => {
    answer = (request, response) => {
      if (request.headers['x-forwarded-uri'] === '/ws/admin') response.writeHead(403).end()
      else yes()(request, response)
    }
    const find = forwardAuth(config())
    assert.equal((await find(withCookie('a=1')))?.user, 'alice')
    assert.equal(await find(fakeRequest([['Cookie', 'a=1']], { path: '/ws/admin' })), null)
  })
  test('fifty who ask at once are one question', async () => {
    asked.length = 0
    answer = (request, response) => void setImmediate(() => yes()(request, response))
    const find = forwardAuth(config())
    const found = await Promise.all(Array.from({ length: 50 }, async () => find(withCookie('a=1'))))
    assert.equal(found.filter(session => session?.user === 'alice').length, 50)
    assert.equal(asked.length, 1)
  })
  test('257 different ones at once: the last is told to come later', async () => {
    const held: ServerResponse[] = []
    answer = (_, response) => void held.push(response)
    const find = forwardAuth(config({ timeoutMs: 1000 }))
    const waiting = Array.from({ length: 256 }, (_, index) =>
      Promise.resolve(find(withCookie(`a=${index}`))).catch(() => null),
    )
    await assert.rejects(async () => find(withCookie('a=last')), /more than 256/)
    await Promise.all(waiting)
  })
  test('a living connection is checked afresh, past what is kept; a no then holds for handshakes too', async () => {
    answer = yes()
    const find = forwardAuth(config())
    const session = await find(withCookie('a=1'))
    answer = (_, response) => void response.writeHead(401).end()
    assert.equal((await find(withCookie('a=1')))?.user, 'alice')
    assert.equal(await find.recheck!(session!, withCookie('a=1')), null)
    assert.equal(await find(withCookie('a=1')), null)
  })
})

test('attack: a kept acceptance is not used after a revocation', async () => {
  const resolver = forwardAuth(config())
  answer = yes()
  assert.equal((await resolver(withCookie('sid=1')))?.user, 'alice')
  answer = (_, response) => void response.writeHead(401).end()
  assert.equal((await resolver(withCookie('sid=1')))?.user, 'alice')
  resolver.forget!()
  assert.equal(await resolver(withCookie('sid=1')), null)
})
