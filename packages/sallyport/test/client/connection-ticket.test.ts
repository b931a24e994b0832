import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { APP_URL, next, open, serve } from './client-fixtures.ts'
import { fakeSockets, settle } from './fake-socket.ts'

describe('the ticket endpoint', () => {
  for (const { row, status, headers, event } of [
    { row: '401: sign in', status: 401, event: 'signin' },
    { row: '302 to a login page: sign in', status: 302, headers: { Location: '/login' }, event: 'signin' },
    { row: '403: stop', status: 403, event: 'stop' },
    { row: '404: the client is configured for tickets and the server is not', status: 404, event: 'error' },
    { row: '405: something else answers there', status: 405, event: 'error' },
  ] as const)
    it(row, async () => {
      const server = await serve({ answer: () => (headers ? { status, headers } : { status }) })
      const connection = open(server.url)
      const what = await next(connection, event)
      if (what) assert.deepEqual(what, { code: status })
      assert.equal(connection.state, 'closed')
      assert.equal(server.asked.length, 1, 'a redirect is not followed, and nothing is tried again')
      assert.equal(server.handshakes.length, 0)
    })

  for (const { row, answer, atLeast, below } of [
    {
      row: '429 with Retry-After: 7 waits 7 s',
      answer: { status: 429, headers: { 'Retry-After': '7' } },
      atLeast: 7000,
      below: 7002,
    },
    {
      row: '503 with Retry-After: 2 waits 2 s',
      answer: { status: 503, headers: { 'Retry-After': '2' } },
      atLeast: 2000,
      below: 2002,
    },
    { row: '503 backs off', answer: { status: 503 }, atLeast: 0, below: 2 },
    {
      row: 'a Retry-After of years waits an hour',
      answer: { status: 429, headers: { 'Retry-After': '99999999999' } },
      atLeast: 3_600_000,
      below: 3_600_002,
    },
    {
      row: 'a negative Retry-After waits as usual',
      answer: { status: 429, headers: { 'Retry-After': '-5' } },
      atLeast: 0,
      below: 2,
    },
    {
      row: 'a Retry-After that is no number waits as usual',
      answer: { status: 429, headers: { 'Retry-After': 'soon' } },
      atLeast: 0,
      below: 2,
    },
    { row: '200 without a ticket backs off', answer: { status: 200, body: '{}' }, atLeast: 0, below: 2 },
    { row: '200 with an empty ticket backs off', answer: { status: 200, body: '{"ticket":""}' }, atLeast: 0, below: 2 },
    { row: '200 with null backs off', answer: { status: 200, body: 'null' }, atLeast: 0, below: 2 },
    { row: '200 with a page backs off', answer: { status: 200, body: '<html>' }, atLeast: 0, below: 2 },
  ])
    it(row, async () => {
      const server = await serve({ answer: () => answer })
      const connection = open(server.url)
      const { delayMs } = await next(connection, 'retry')
      connection.close()
      assert.ok(delayMs >= atLeast && delayMs < below, `${delayMs} ms`)
      assert.equal(server.handshakes.length, 0)
    })

  it('one that cannot be reached is tried again until it can', async () => {
    const server = await serve()
    let failures = 0
    const connection = open(server.url, {
      fetch: async (url, init) => {
        if (failures++ < 3) throw new TypeError('fetch failed')
        return fetch(url, init)
      },
    })
    await next(connection, 'open')
    assert.equal(failures, 4)
  })

  it('is asked with the cookie of the own origin alone, and never from a cache', async () => {
    let seen: RequestInit | undefined
    const connection = open(APP_URL, {
      fetch: async (_url, init) => {
        seen = init
        return new Response(null, { status: 401 })
      },
    })
    await next(connection, 'signin')
    assert.equal(seen?.method, 'POST')
    assert.equal(seen?.credentials, 'same-origin')
    assert.equal(seen?.redirect, 'manual')
    assert.equal(seen?.cache, 'no-store')
  })

  for (const { row, ticket, event } of [
    { row: "the app's source answers null: sign in", ticket: () => null, event: 'signin' },
    {
      row: "the app's source throws: back off",
      ticket: () => {
        throw new Error('x')
      },
      event: 'retry',
    },
    {
      row: "the app's source rejects: back off",
      ticket: async () => {
        throw new Error('x')
      },
      event: 'retry',
    },
  ] as const)
    it(row, async () => {
      const { WebSocket, made } = fakeSockets()
      const connection = open(APP_URL, { ticket, WebSocket })
      await next(connection, event)
      assert.equal(made.length, 0)
    })
})

describe('a session that ended', () => {
  const REASONS = ['SALLY_LIFETIME_EXPIRED', 'SALLY_LIFETIME_INVALID', 'SALLY_LIFETIME_REVOKED', ''] as const

  for (const reason of REASONS)
    it(`4401 ${reason}: the ticket endpoint is asked, and a session that was renewed over HTTP goes on`, async () => {
      const server = await serve({
        serve: (socket, _request, nth) => {
          if (nth === 1) socket.close(4401, reason)
          else socket.send('{"type":"chat","text":"again"}')
        },
      })
      const connection = open(server.url)
      connection.when('signin', () => assert.fail('nobody said that the session is over'))
      await new Promise<void>(resolve => connection.on('chat', () => resolve()))
      assert.equal(server.asked.length, 2)
      assert.equal(new Set(server.tickets).size, 2)
    })

  for (const reason of REASONS)
    it(`4401 ${reason}: signin once the ticket endpoint says 401, and no handshake more`, async () => {
      const server = await serve({
        answer: nth => (nth === 1 ? null : { status: 401 }),
        serve: socket => socket.close(4401, reason),
      })
      const connection = open(server.url)
      await next(connection, 'signin')
      assert.equal(connection.state, 'closed')
      assert.equal(server.asked.length, 2)
      assert.equal(server.handshakes.length, 1)
    })

  it("the app's own source of tokens is asked as the endpoint is", async () => {
    const { WebSocket, made } = fakeSockets()
    let token: string | null = 'first'
    const connection = open(APP_URL, { ticket: () => token, WebSocket })
    await settle()
    made[0]?.accept()
    token = null
    made[0]?.end(4401, 'SALLY_LIFETIME_EXPIRED')
    assert.equal(connection.state, 'waiting')
    await next(connection, 'signin')
    assert.equal(made.length, 1)
  })

  it('what was kept while it closed is not sent in the name of the next user', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = open(APP_URL, { ticket: () => 'token', WebSocket, queue: 2 })
    await settle()
    const [socket] = made
    socket?.accept()
    if (socket) socket.readyState = 2
    assert.equal(connection.send({ type: 'say', text: 'of the first user' }), true)
    socket?.end(4401, 'SALLY_LIFETIME_INVALID')
    await next(connection, 'state')
    await settle()
    made[1]?.accept()
    assert.equal(made.length, 2)
    assert.deepEqual(made[1]?.sent, [])
  })
})
