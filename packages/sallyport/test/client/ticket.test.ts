import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { ticket, TicketError, ticketProtocol } from '../../src/client/ticket.ts'
import { serve } from './client-fixtures.ts'

describe('ticket()', () => {
  afterEach(() => void Reflect.deleteProperty(globalThis, 'location'))

  it('is one ticket for the path, for a WebSocket that a library makes', async () => {
    const server = await serve()
    const token = await ticket(server.url)
    assert.deepEqual(server.tickets, [token])
    assert.deepEqual(server.asked, ['POST /.sallyport/ticket?path=%2Fws'])
    const socket = new WebSocket(server.url, ['graphql-transport-ws', ticketProtocol(token)])
    await new Promise(resolve => socket.on('open', resolve))
    assert.equal(socket.protocol, 'graphql-transport-ws')
    assert.equal(server.handshakes[0]?.offered, `graphql-transport-ws,sallyport.ticket.${token}`)
    socket.terminate()
  })

  it('is asked for at the endpoint that is named', async () => {
    const server = await serve()
    await ticket(new URL(server.url), { endpoint: '/csrf' })
    assert.deepEqual(server.asked, ['POST /csrf?path=%2Fws'])
  })

  for (const [status, code, headers, retryAfterMs] of [
    [401, 'signin', {}, 0],
    [302, 'signin', { Location: '/login' }, 0],
    [403, 'stop', {}, 0],
    [404, 'error', {}, 0],
    [429, 'retry', { 'Retry-After': '7' }, 7000],
    [503, 'retry', {}, 0],
  ] as const)
    it(`${status} rejects with ${code}`, async () => {
      const server = await serve({ answer: () => ({ status, headers }) })
      await assert.rejects(ticket(server.url), (error: unknown) => {
        assert.ok(error instanceof TicketError)
        assert.deepEqual([error.code, error.status, error.retryAfterMs], [code, status, retryAfterMs])
        return true
      })
    })

  it('rejects with retry and status 0 where nobody answers', async () => {
    const fetch = async (): Promise<Response> => {
      throw new TypeError('fetch failed: SECRET')
    }
    await assert.rejects(ticket('ws://localhost:1/ws', { fetch }), (error: unknown) => {
      assert.ok(error instanceof TicketError)
      assert.deepEqual([error.code, error.status], ['retry', 0])
      assert.doesNotMatch(String(error.stack) + JSON.stringify(error), /SECRET/)
      return true
    })
  })

  for (const endpoint of [false, null, 5, () => '/t'])
    it(`an endpoint that is ${typeof endpoint} is an error, and asks nobody`, async () => {
      const fetch = (): never => assert.fail('asked')
      await assert.rejects(ticket('wss://app.company.com/ws', { endpoint: endpoint as never, fetch }), {
        name: 'TypeError',
        message: /write a path/,
      })
    })

  for (const url of [
    'wss://evil.example/ws',
    '//evil.example/ws',
    'wss://evil.app.company.com/ws',
    'https://u:p@app.company.com/ws',
  ])
    it(`no ticket for ${url}`, async () => {
      Object.defineProperty(globalThis, 'location', { value: { href: 'https://app.company.com/' }, configurable: true })
      const fetch = (): never => assert.fail('asked')
      await assert.rejects(ticket(url, { fetch }), TypeError)
    })
})
