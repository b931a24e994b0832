import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { sendJsonFrame, tellTextLength } from '../../src/node/json-frame.ts'
import {
  beginTurn,
  commit,
  endTurn,
  writeBufferStart,
  WRITE_BUFFER_BYTES,
  reserve,
} from '../../src/node/write-buffer.ts'
import { Decoder, textOf, writeTextFrame } from '../../src/wire/index.ts'

interface Pair {
  readonly socket: Socket
  /** The texts that arrive, once there are so many. */
  hears(count: number): Promise<readonly string[]>
}

async function pair(t: TestContext): Promise<Pair> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    client.destroy()
    socket.destroy()
    server.close()
  })
  const heard: string[] = []
  let wake = (): void => undefined
  const silent = (): void => undefined
  const limits = { frameBytes: 1e9, messageBytes: 1e9, fragments: 1 }
  const decoder = new Decoder(
    { peer: 'server', limits },
    {
      text(...range) {
        heard.push(textOf(...range))
        wake()
      },
      binary: silent,
      pinged: silent,
      ponged: silent,
      closing: silent,
      fault: fault => assert.fail(fault.message),
    },
  )
  client.on('data', (chunk: Buffer) => void decoder.push(chunk))
  return {
    socket,
    async hears(count) {
      while (heard.length < count) await new Promise<void>(resolve => (wake = resolve))
      return heard
    },
  }
}

function sendText(socket: Socket, text: string): void {
  const target = reserve(socket, 3 * text.length + 10)
  commit(writeTextFrame(target, writeBufferStart(), text))
}

/** As after a text of so many bytes, from JSON.stringify. */
const LONG = 256

describe('sendJsonFrame', () => {
  test('messages of every length of header, one behind the other in a turn', async t => {
    const { socket, hears } = await pair(t)
    const lengths = [1, 125 - 8, 126 - 8, 5000, 3, 20_000, 40_000, 60_000, 2]
    const messages = lengths.map(length => ({ m: 'x'.repeat(length) }))
    beginTurn()
    for (const message of messages) {
      tellTextLength(LONG)
      assert.equal(sendJsonFrame(socket, message), JSON.stringify(message).length)
    }
    endTurn()
    assert.deepEqual(
      await hears(messages.length),
      messages.map(message => JSON.stringify(message)),
    )
  })

  test('what fits no write buffer is sent by nobody', async t => {
    const { socket, hears } = await pair(t)
    tellTextLength(LONG)
    assert.equal(sendJsonFrame(socket, { m: 'x'.repeat(WRITE_BUFFER_BYTES) }), -1)
    sendText(socket, 'still in order')
    assert.deepEqual(await hears(1), ['still in order'])
  })

  test('whatever fits when its header is guessed too small', async t => {
    const { socket, hears } = await pair(t)
    const sent: number[] = []
    for (let length = WRITE_BUFFER_BYTES - 12; length <= WRITE_BUFFER_BYTES; length++) {
      tellTextLength(LONG)
      sendJsonFrame(socket, {})
      tellTextLength(LONG)
      if (sendJsonFrame(socket, { m: 'x'.repeat(length - 8) }) >= 0) sent.push(length)
    }
    assert.equal(sent.at(-1), WRITE_BUFFER_BYTES - 4)
    const heard = await hears(13 + sent.length)
    assert.deepEqual(
      heard.filter(one => one !== '{}').map(one => one.length),
      sent,
    )
  })

  test('short ones are left to JSON.stringify, until one was long', async t => {
    const { socket, hears } = await pair(t)
    const long = { m: 'x'.repeat(300) }
    tellTextLength(LONG - 1)
    assert.equal(sendJsonFrame(socket, long), -1)
    tellTextLength(LONG)
    assert.equal(sendJsonFrame(socket, {}), 2)
    assert.equal(sendJsonFrame(socket, long), -1)
    assert.deepEqual(await hears(1), ['{}'])
  })

  test('what is not plain is left to JSON.stringify, and the next few with it; no code of it runs', async t => {
    const { socket, hears } = await pair(t)
    let ran = 0
    const value = {
      first: 'a'.repeat(100),
      get second(): number {
        return ++ran
      },
    }
    tellTextLength(LONG)
    assert.equal(sendJsonFrame(socket, value), -1)
    for (let round = 0; round < 16; round++) assert.equal(sendJsonFrame(socket, { a: 1 }), -1)
    assert.equal(sendJsonFrame(socket, { a: 1 }), 7)
    assert.equal(ran, 0)
    assert.deepEqual(await hears(1), ['{"a":1}'])
  })
})
