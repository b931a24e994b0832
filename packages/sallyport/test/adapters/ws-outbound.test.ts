// Behind message/outbound nothing leaves that no schema describes: by pings, pongs and close reasons neither.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { started } from './ws-host.ts'

const schema = { chat: { type: 'object', properties: { message: { type: 'string' } } } }
const SECRET = 'S3cret'

/** An open pair: the app's socket and its client. */
async function pair(t: Parameters<typeof started>[0], message: object, report: readonly string[] = []) {
  const host = await started(t, { message: { schema, ...message }, report })
  const wss = new WebSocketServer({ server: host.server, ...host.guard.ws() })
  const app = once(wss, 'connection') as Promise<[WebSocket]>
  const client = await host.open()
  return { host, client, app: (await app)[0] }
}

for (const kind of ['ping', 'pong'] as const) {
  for (const data of [SECRET, Buffer.from(SECRET), new TextEncoder().encode(SECRET), 12345]) {
    test(`a ${kind} of ${typeof data === 'object' ? data.constructor.name : typeof data} leaves without its payload, and an event says so`, async t => {
      const { client, app, host } = await pair(t, { outbound: schema })
      const came = once(client, kind)
      app[kind](data)
      assert.equal((await came)[0].length, 0)
      const event = await host.event(({ code }) => code === 'SALLY_OUTBOUND_INVALID')
      assert.equal(event.enforced, true)
      assert.doesNotMatch(JSON.stringify(event), new RegExp(SECRET))
    })
  }
}

for (const reason of [SECRET, Buffer.from(SECRET)]) {
  test(`a close reason that is ${typeof reason === 'string' ? 'text' : 'bytes'} stays here; the code leaves`, async t => {
    const { client, app, host } = await pair(t, { outbound: schema })
    app.close(4000, reason)
    const [code, came] = await once(client, 'close')
    assert.deepEqual([code, String(came)], [4000, ''])
    await host.event(({ code: of }) => of === 'SALLY_OUTBOUND_INVALID')
  })
}

test("the peer's own ping and close reason are answered as the RFC wants, with no event", async t => {
  const { client, app, host } = await pair(t, { outbound: schema })
  const pong = once(client, 'pong')
  client.ping('are you there')
  assert.equal(String((await pong)[0]), 'are you there')
  const closed = once(app, 'close')
  client.close(4001, 'bye')
  const [code, reason] = await once(client, 'close')
  assert.deepEqual([code, String(reason)], [4001, 'bye'])
  await closed
  assert.deepEqual(
    host.events.filter(({ code: of }) => of === 'SALLY_OUTBOUND_INVALID'),
    [],
  )
})

test('without an outbound schema pings, pongs and reasons are as the app writes them', async t => {
  const { client, app } = await pair(t, {})
  const came = once(client, 'ping')
  app.ping('now')
  assert.equal(String((await came)[0]), 'now')
  app.close(4000, 'room is full')
  const [code, reason] = await once(client, 'close')
  assert.deepEqual([code, String(reason)], [4000, 'room is full'])
})

test('a message in pieces is not sent: no piece matches a schema', async t => {
  const { client, app, host } = await pair(t, { outbound: schema })
  app.send('{"type":"chat","message":"a","passwordHash":"', { fin: false })
  app.send('S3cret"}', { fin: true })
  app.send('{"type":"chat","message":"b"}')
  assert.equal(String((await once(client, 'message'))[0]), '{"type":"chat","message":"b"}')
  assert.equal(host.events.filter(({ code }) => code === 'SALLY_OUTBOUND_INVALID').length, 2)
})

test('in report mode whatever the app sends leaves as it would without a guard', async t => {
  const { client, app, host } = await pair(t, { outbound: schema }, ['message/outbound'])
  const got: string[] = []
  client.on('message', (data: Buffer, isBinary) =>
    got.push(`${isBinary ? 'bytes' : 'text'} ${data.toString('latin1')}`),
  )
  const errors: unknown[] = []
  app.send('{"type":"chat", "message":"a", "admin":true}', error => errors.push(error))
  app.send(new DataView(Uint8Array.of(1, 2, 3).buffer))
  app.send(Uint16Array.of(0x0201, 0x0403))
  app.send(Uint8Array.of(5, 6).buffer)
  app.send('one ', { fin: false })
  app.send('message', { fin: true })
  app.send(new Blob(['blob']))
  app.send('{"type":"chat"}', { binary: true })
  const closed = once(client, 'close')
  app.close(1000)
  await closed
  assert.deepEqual(got, [
    'text {"type":"chat", "message":"a", "admin":true}',
    'bytes \x01\x02\x03',
    'bytes \x01\x02\x03\x04',
    'bytes \x05\x06',
    'text one message',
    'bytes blob',
    'bytes {"type":"chat"}',
  ])
  assert.deepEqual(errors, [null])
  const events = host.events.filter(({ code }) => code === 'SALLY_OUTBOUND_INVALID')
  assert.match(String(events[0]?.detail), /\/admin$/)
  assert.ok(events.every(({ enforced }) => enforced === false))
})
