import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { closeOf, createWorld, nextMessage, refusalOf, type World } from '../support/world.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('an honest client connects, is answered, and the answer is what was checked', async () => {
  const socket = await world.connect()
  assert.equal(socket.protocol, 'sallyport.v1')
  socket.send(JSON.stringify({ type: 'chat', message: 'hello', isAdmin: true }))
  assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'echo hello' })
  assert.deepEqual(world.handled.at(-1), { type: 'chat', message: 'hello' })
  socket.close()
  assert.equal((await closeOf(socket)).code, 1005)
})

test('a foreign origin is refused before anything else, with the code alone', async () => {
  const refusal = await refusalOf(world.client({ sid: 'ann-1', origin: 'https://evil.example' }))
  assert.equal(refusal.status, 403)
  assert.equal(refusal.body, '{"code":"SALLY_ORIGIN_NOT_ALLOWED"}')
})

test('no session is 401; no ticket is 403; a store that is down is 503', async () => {
  assert.equal((await refusalOf(world.client())).status, 401)
  assert.equal((await refusalOf(world.client({ sid: 'ann-1' }))).body, '{"code":"SALLY_TICKET_MISSING"}')
  world.accounts.down = true
  assert.equal((await refusalOf(world.client({ sid: 'ann-1' }))).status, 503)
  world.accounts.down = false
})

test('an unknown type and a bad message are told by code; strikes close', async () => {
  const socket = await world.connect()
  socket.send('{"type":"admin"}')
  assert.deepEqual(await nextMessage(socket), { type: 'error', code: 'SALLY_MESSAGE_TYPE' })
  for (let strike = 2; strike <= 5; strike++) {
    socket.send('{"type":"chat","message":7}')
    assert.deepEqual(await nextMessage(socket), { type: 'error', code: 'SALLY_MESSAGE_INVALID' })
  }
  socket.send('not json')
  assert.deepEqual(await closeOf(socket), { code: 1008, reason: 'SALLY_MESSAGE_STRIKES' })
})

test('revoke closes the sockets of a session and refuses its tickets', async () => {
  const socket = await world.connect('bob-1')
  const ticket = await world.ticket('bob-1')
  const closed = closeOf(socket)
  await world.guard.revoke({ session: 'bob-1' })
  assert.deepEqual(await closed, { code: 4401, reason: 'SALLY_LIFETIME_REVOKED' })
  const again = world.client({ sid: 'bob-1', protocols: ['sallyport.v1', `sallyport.ticket.${ticket}`] })
  assert.equal((await refusalOf(again)).body, '{"code":"SALLY_SESSION_REVOKED"}')
})

for (const [lines, status] of [
  [200, 404],
  [201, 431],
] as const) {
  test(`plain HTTP with ${lines} header lines: ${status}`, async () => {
    const headers = Array.from({ length: lines - 2 }, (_, index) => `X-${index}: a\r\n`).join('')
    const socket = connect(world.port, 'localhost')
    socket.write(`GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(answer.toString(), new RegExp(`^HTTP/1\\.1 ${status} `))
    if (status === 431) await world.event(({ code }) => code === 'SALLY_REQUEST_TOO_LARGE')
    socket.destroy()
  })
}

test('no header line is left out: a second Origin behind a thousand other lines is seen', async t => {
  const wide = await createWorld({ handshake: { request: { headers: 2000, headerBytes: '64 KiB' } } })
  t.after(() => wide.close())
  const { port } = wide
  const behind = async (count: number): Promise<string> => {
    const lines = [...Array.from({ length: count }, () => 'X: a'), 'Origin: https://evil.example']
    return (await exchange(port, handshakeText({ port, add: lines }))).text
  }
  assert.match(await behind(1100), /SALLY_ORIGIN_NOT_ALLOWED/)
  assert.match(await behind(2000), /SALLY_REQUEST_TOO_LARGE/)
  assert.match(await behind(2100), /SALLY_REQUEST_TOO_LARGE/)
})
