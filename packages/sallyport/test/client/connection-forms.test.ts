import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket as WsClient } from 'ws'
import { connect } from '../../src/client/index.ts'
import { APP_URL, closeAfter, open, openFake, serve } from './client-fixtures.ts'
import { fakeSockets, settle } from './fake-socket.ts'

type Nest = { readonly event: 'chat'; readonly data: string } | { readonly event: 'error'; readonly code: string }

describe('the option discriminator', () => {
  it("tells messages by Nest's event, and its error replies from messages", async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = connect<Nest, Nest, 'event'>(APP_URL, { ticket: false, WebSocket, discriminator: 'event' })
    closeAfter(() => connection.close())
    const heard: unknown[] = []
    connection.on('chat', ({ data }) => heard.push(data))
    connection.onMessage(({ event }) => heard.push(event))
    connection.when('denied', ({ code }) => heard.push(code))
    await settle()
    made[0]?.accept()
    made[0]?.say({ event: 'chat', data: 'x' })
    made[0]?.say({ event: 'error', code: 'SALLY_MESSAGE_TYPE' })
    made[0]?.say({ type: 'chat', data: 'of another app' })
    made[0]?.say({ event: 5, data: 'no name' })
    assert.deepEqual(heard, ['x', 'chat', 'SALLY_MESSAGE_TYPE'])
    assert.equal(connection.ignored, 2)
    assert.equal(connection.send({ event: 'chat', data: 'y' }), true)
    assert.deepEqual(made[0]?.sent, ['{"event":"chat","data":"y"}'])
    // @ts-expect-error -- no such event
    connection.on('say', () => {})
    // @ts-expect-error -- the key is event
    connection.send({ type: 'chat', data: 'y' })
  })

  for (const [row, discriminator, data] of [
    ['a JSON text has no key 0', '0', '"chat"'],
    ['a list has none', '0', '["chat"]'],
    ['an inherited name is no type', 'toString', '{}'],
    ['a number has none', 'constructor', '5'],
  ] as const)
    it(row, async () => {
      const { WebSocket, made } = fakeSockets()
      const connection = connect(APP_URL, { ticket: false, WebSocket, discriminator })
      closeAfter(() => connection.close())
      connection.onMessage(() => assert.fail('heard'))
      await settle()
      made[0]?.accept()
      made[0]?.sayRaw(data)
      assert.equal(connection.ignored, 1)
    })

  it('first-message is answered with a type whatever the discriminator is', async () => {
    const { WebSocket, made } = fakeSockets()
    const options = { ticket: () => 'token', carrier: 'first-message', WebSocket, discriminator: 'event' } as const
    const connection = connect(APP_URL, options)
    closeAfter(() => connection.close())
    await settle()
    made[0]?.accept()
    made[0]?.say({ event: 'authenticated' })
    assert.equal(connection.state, 'connecting')
    made[0]?.say({ type: 'authenticated' })
    assert.equal(connection.state, 'open')
  })
})

describe('the option binary', () => {
  for (const [row, WebSocket] of [
    ['the WebSocket of Node', undefined],
    ['the WebSocket of ws', WsClient],
  ] as const)
    it(`bytes go out and come in whole, by ${row}, beside text`, async () => {
      const server = await serve({
        serve: socket => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
      })
      const connection = open(server.url, { binary: true, ticket: false, ...(WebSocket && { WebSocket }) })
      const heard: unknown[] = []
      const both = Promise.withResolvers<void>()
      const note = (what: unknown): void => {
        if (heard.push(what) === 4) both.resolve()
      }
      connection.onBinary(bytes => note(bytes instanceof ArrayBuffer && [...new Uint8Array(bytes)]))
      connection.onMessage(note)
      connection.when('open', () => {
        const buffer = new Uint8Array([9, 1, 2, 3, 9])
        assert.equal(connection.send(buffer.subarray(1, 4)), true)
        assert.equal(connection.send({ type: 'say', text: 'x' }), true)
        assert.equal(connection.send(new Uint8Array([255]).buffer), true)
        assert.equal(connection.send(new DataView(new ArrayBuffer(2))), true)
      })
      await both.promise
      assert.deepEqual(heard, [[1, 2, 3], { type: 'say', text: 'x' }, [255], [0, 0]])
      assert.equal(connection.ignored, 0)
    })

  it('what is kept stays as it was when it was sent', async () => {
    const server = await serve()
    const connection = open(server.url, { binary: true, ticket: false, queue: 2 })
    const bytes = new Uint8Array([9, 1, 2, 9])
    assert.equal(connection.send(bytes.subarray(1, 3)), true)
    assert.equal(connection.send(bytes.buffer), true)
    bytes.fill(0)
    const got: string[] = []
    const socket = await server.next()
    socket.on('message', (data: Buffer) => got.push(data.toString('hex')))
    while (got.length < 2) await once(socket, 'message')
    assert.deepEqual(got, ['0102', '09010209'])
  })

  for (const [row, bytes] of [
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a Uint8Array', new Uint8Array(1)],
    ['a Buffer', Buffer.from('{"')],
  ] as const)
    it(`without it ${row} is an error that names the option, and no message of its indexes`, async () => {
      const { connection, made } = await openFake()
      made[0]?.accept()
      assert.throws(() => connection.send(bytes), { name: 'TypeError', message: /binary: true/ })
      assert.deepEqual(made[0]?.sent, [])
    })

  it('a Blob is an error with it, too', async () => {
    const { connection, made } = await openFake({ binary: true })
    made[0]?.accept()
    assert.throws(() => connection.send(new Blob(['x']) as never), TypeError)
  })
})
