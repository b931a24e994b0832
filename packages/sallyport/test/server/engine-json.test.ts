import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { sendJsonFrame } from '../../src/server/engine-json.ts'
import { beginTurn, commit, endTurn, outboxStart, OUTBOX_BYTES, reserve } from '../../src/server/engine-outbox.ts'
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
  const limits = { frameBytes: 1e9, messageBytes: 1e9, fragments: 1, controlFrames: 0 }
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
  commit(writeTextFrame(target, outboxStart(), text))
}

describe('sendJsonFrame', () => {
  test('messages of every length of header, one behind the other in a turn', async t => {
    const { socket, hears } = await pair(t)
    const messages = [1, 125 - 8, 126 - 8, 5000, 3, 20_000, 40_000, 60_000, 2].map(length => ({
      m: 'x'.repeat(length),
    }))
    beginTurn()
    for (const message of messages) assert.equal(sendJsonFrame(socket, message), JSON.stringify(message).length)
    endTurn()
    assert.deepEqual(
      await hears(messages.length),
      messages.map(message => JSON.stringify(message)),
    )
  })

  test('what fits no outbox, and what is not plain, is sent by nobody', async t => {
    const { socket, hears } = await pair(t)
    assert.equal(sendJsonFrame(socket, { m: 'x'.repeat(OUTBOX_BYTES) }), -1)
    assert.equal(sendJsonFrame(socket, new Date(0)), -1)
    sendText(socket, 'still in order')
    assert.deepEqual(await hears(1), ['still in order'])
  })

  test('whatever fits when its header is guessed too small', async t => {
    const { socket, hears } = await pair(t)
    const text = (length: number): object => ({ m: 'x'.repeat(length - 8) })
    const sent: number[] = []
    for (let length = OUTBOX_BYTES - 12; length <= OUTBOX_BYTES; length++) {
      sendJsonFrame(socket, {})
      if (sendJsonFrame(socket, text(length)) >= 0) sent.push(length)
    }
    const [greatest] = sent.slice(-1)
    assert.equal(greatest, OUTBOX_BYTES - 4)
    const heard = await hears(13 + sent.length)
    assert.deepEqual(
      heard.filter(one => one !== '{}').map(one => one.length),
      sent,
    )
  })

  for (const inTurn of [true, false]) {
    test(`an accessor that sends meanwhile, ${inTurn ? 'in' : 'outside of'} a turn: each peer hears its own, whole`, async t => {
      const [mine, other] = [await pair(t), await pair(t)]
      const value = {
        first: 'a'.repeat(100),
        get second(): string {
          sendText(mine.socket, 'from within')
          assert.equal(sendJsonFrame(other.socket, { secret: 'of the other' }), 25)
          return 'b'
        },
        third: 'c'.repeat(100),
      }
      if (inTurn) beginTurn()
      sendText(mine.socket, 'before')
      // It is to be written again, as JSON.stringify would have written it before it was sent.
      assert.equal(sendJsonFrame(mine.socket, value), -1)
      sendText(mine.socket, 'after')
      if (inTurn) endTurn()
      assert.deepEqual(await mine.hears(3), ['before', 'from within', 'after'])
      assert.deepEqual(await other.hears(1), ['{"secret":"of the other"}'])
    })
  }

  test('an accessor that throws: what was sent before and comes after stays whole', async t => {
    const { socket, hears } = await pair(t)
    beginTurn()
    sendText(socket, 'before')
    const value = {
      a: 'half',
      get b(): never {
        throw new RangeError('as the app does')
      },
    }
    assert.throws(() => sendJsonFrame(socket, value), RangeError)
    assert.equal(sendJsonFrame(socket, { c: 1 }), 7)
    endTurn()
    assert.deepEqual(await hears(2), ['before', '{"c":1}'])
  })
})
