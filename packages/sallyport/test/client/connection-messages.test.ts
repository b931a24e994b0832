import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { connect, type TypedMessage } from '../../src/client/index.ts'
import { APP_URL, closeAfter, openFake } from './client-fixtures.ts'
import { fakeSockets, settle } from './fake-socket.ts'

describe('messages', () => {
  for (const { row, data } of [
    { row: 'no JSON', data: 'hello' },
    { row: 'a number', data: '1' },
    { row: 'null', data: 'null' },
    { row: 'an array', data: '[{"type":"chat"}]' },
    { row: 'no type', data: '{"text":"x"}' },
    { row: 'a type that is no string', data: '{"type":1}' },
    { row: 'binary', data: new TextEncoder().encode('{"type":"chat"}') },
    { row: 'a Buffer that reads as JSON', data: Buffer.from('{"type":"chat"}') },
    { row: 'a list of Buffers', data: ['{"type":"chat"}'] },
  ])
    it(`${row} reaches no listener and is counted`, async () => {
      const { connection, made } = await openFake()
      let heard = 0
      connection.onMessage(() => heard++)
      made[0]?.accept()
      made[0]?.sayRaw(data)
      assert.equal(heard, 0)
      assert.equal(connection.ignored, 1)
    })

  it('lifecycle events and messages of the same name never meet', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = connect<TypedMessage, { readonly type: 'open' } | { readonly type: '' }>(APP_URL, {
      ticket: false,
      WebSocket,
    })
    closeAfter(() => connection.close())
    const heard: string[] = []
    connection.on('open', () => heard.push('message open'))
    connection.on('', () => heard.push('message of empty type'))
    connection.when('open', () => heard.push('lifecycle open'))
    await settle()
    made[0]?.accept()
    made[0]?.say({ type: 'open' })
    made[0]?.say({ type: '' })
    made[0]?.say({ type: 'constructor' })
    assert.deepEqual(heard, ['lifecycle open', 'message open', 'message of empty type'])
  })

  it('an error reply is a denied event, not a message', async () => {
    const { connection, made } = await openFake()
    const heard: string[] = []
    connection.onMessage(() => heard.push('message'))
    connection.when('denied', ({ code }) => heard.push(code))
    made[0]?.accept()
    made[0]?.say({ type: 'error', code: 'SALLY_MESSAGE_INVALID' })
    assert.deepEqual(heard, ['SALLY_MESSAGE_INVALID'])
    assert.equal(connection.state, 'open')
  })

  it('an unsubscribed listener is not called, and one that throws keeps nothing from the others', async () => {
    const { connection, made } = await openFake()
    const heard: string[] = []
    const off = connection.on('chat', () => heard.push('gone'))
    connection.on('chat', () => {
      throw new Error('of a listener')
    })
    connection.on('chat', ({ text }) => heard.push(text))
    off()
    off()
    made[0]?.accept()
    const later: (() => void)[] = []
    const schedule = mock.method(globalThis, 'setTimeout', (call: () => void) => later.push(call))
    made[0]?.say({ type: 'chat', text: 'x' })
    schedule.mock.restore()
    assert.deepEqual(heard, ['x'])
    assert.equal(later.length, 1)
    assert.throws(() => later[0]?.(), /of a listener/, 'the host reports it')
  })

  it('send answers false while there is no connection, and true when it went out', async () => {
    const { connection, made } = await openFake()
    assert.equal(connection.send({ type: 'leave' }), false)
    made[0]?.accept()
    assert.equal(connection.send({ type: 'leave' }), true)
    assert.deepEqual(made[0]?.sent, ['{"type":"leave"}'])
  })

  it('send answers false to a socket that is closing, and to one whose peer does not read', async () => {
    const { connection, made } = await openFake()
    const [socket] = made
    assert.ok(socket)
    socket.accept()
    for (const [buffered, expected] of [
      [2 ** 20 - 1, true],
      [2 ** 20, true],
      [2 ** 20 + 1, false],
    ] as const) {
      socket.bufferedAmount = buffered
      assert.equal(connection.send({ type: 'leave' }), expected)
    }
    socket.bufferedAmount = 0
    socket.readyState = 2
    assert.equal(connection.send({ type: 'leave' }), false)
  })

  for (const { row, sends, expected } of [
    { row: 'one below', sends: 1, expected: [true] },
    { row: 'at', sends: 2, expected: [true, true] },
    { row: 'one above', sends: 3, expected: [true, true, false] },
  ])
    it(`the queue keeps ${row} its bound, and sends in order`, async () => {
      const { connection, made } = await openFake({ queue: 2 })
      const answers = Array.from({ length: sends }, (_, nth) => connection.send({ type: 'say', text: `${nth}` }))
      assert.deepEqual(answers, expected)
      made[0]?.accept()
      assert.deepEqual(
        made[0]?.sent.map(text => JSON.parse(text).text),
        expected.filter(Boolean).map((_, nth) => `${nth}`),
      )
    })

  for (const [code, event] of [
    [4401, 'signin'],
    [4403, 'stop'],
    [1002, 'error'],
  ] as const)
    it(`what was kept is forgotten at ${event}: it is not sent in another user's name`, async () => {
      const { connection, made } = await openFake({ queue: 2, backoff: { min: 1_000_000, max: 1_000_000 } })
      connection.send({ type: 'say', text: 'of the first user' })
      made[0]?.end(code)
      assert.equal(connection.state, 'closed')
      assert.equal(connection.send({ type: 'leave' }), false)
      connection.open()
      await settle()
      made[1]?.accept()
      assert.deepEqual(made[1]?.sent, [])
    })
})
