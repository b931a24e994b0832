import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Delivery } from '../../src/connection/services.ts'
import { guarded, type Seat, type SeatOptions } from '../guard/live.ts'

const PING = '{"type":"sallyport.ping"}'
const PONG = '{"type":"sallyport.pong"}'
const OWN = 'sallyport.v1'
const ANY = { schema: { dangerouslyAcceptAnyMessage: true } }
const SCHEMA = { schema: { chat: { type: 'object', properties: { text: { type: 'string' } } } } }

/** Delivers to a list. */
const into = (heard: unknown[]): Partial<Delivery> => ({ message: subject => void heard.push(subject.value) })
const utf8 = ({ connection }: Seat, ...texts: readonly string[]): void => {
  for (const text of texts) {
    const bytes = Buffer.from(`--${text}--`)
    connection.utf8(bytes, 2, bytes.length - 2, true)
  }
}

describe('the heartbeat of sallyport.v1', () => {
  test('is answered, and the app does not get it', t => {
    const heard: unknown[] = []
    const guard = guarded(t, { message: SCHEMA })
    const seat = guard.seat({ subprotocol: OWN, delivery: into(heard) })
    utf8(seat, PING)
    seat.read(PING)
    assert.deepEqual(seat.wire.sent, [PONG, PONG])
    assert.deepEqual(heard, [])
    assert.deepEqual(guard.denials(), [])
  })

  for (const [name, text] of [
    ['a blank after the colon', '{"type": "sallyport.ping"}'],
    ['a blank behind it', `${PING} `],
    ['a field more', '{"type":"sallyport.ping","x":1}'],
    ['an escape', '{"type":"sallyport.pin\\u0067"}'],
    ['another letter', '{"type":"sallyport.pinh"}'],
    ['the answer itself', PONG],
    ['a character beyond ASCII of the same length', '{"type":"sallyport.piñ"}'],
  ] as const)
    test(`is those bytes alone: ${name} is an ordinary message`, t => {
      const guard = guarded(t, { message: SCHEMA })
      const seat = guard.seat({ subprotocol: OWN })
      utf8(seat, text)
      assert.deepEqual(seat.wire.sent, ['{"type":"error","code":"SALLY_MESSAGE_TYPE"}'])
    })

  test('with any one byte changed, cut off or added is an ordinary message', t => {
    const heard: unknown[] = []
    const message = { ...ANY, format: { data: 'text' }, heartbeat: [{ text: '#', reply: '.' }] }
    const seat = guarded(t, { message }).seat({ subprotocol: OWN, delivery: into(heard) })
    const others = [
      ...Array.from(PING, (letter, at) => PING.slice(0, at) + (letter === 'x' ? 'y' : 'x') + PING.slice(at + 1)),
      ...Array.from(PING, (_, at) => PING.slice(0, at)).filter(text => text !== ''),
      ...Array.from(PING, (_, at) => PING.slice(at + 1)).filter(text => text !== ''),
      `${PING}x`,
      `x${PING}`,
      '##',
      '$',
    ]
    utf8(seat, ...others)
    assert.deepEqual(heard, others)
    assert.deepEqual(seat.wire.sent, [])
    utf8(seat, '#', PING)
    assert.deepEqual(seat.wire.sent, ['.', PONG])
  })

  for (const subprotocol of [null, 'chat.v1', 'sallyport.v2'])
    test(`is an ordinary message where ${subprotocol} was negotiated`, t => {
      const heard: unknown[] = []
      const seat = guarded(t).seat({ subprotocol, delivery: into(heard) })
      utf8(seat, PING)
      assert.deepEqual(seat.wire.sent, [])
      assert.deepEqual(heard, [{ type: 'sallyport.ping' }])
    })

  test('as binary is an ordinary message', t => {
    const heard: unknown[] = []
    const seat = guarded(t, { message: { format: { data: 'any' } } }).seat({ subprotocol: OWN, delivery: into(heard) })
    seat.connection.binary(Buffer.from(PING))
    assert.deepEqual(seat.wire.sent, [])
    assert.equal(heard.length, 1)
  })

  test('before authentication is a first message that proves nothing', async t => {
    const guard = guarded(t, {
      message: SCHEMA,
      handshake: { session: () => ({ id: 's', user: 'ann' }), ticket: { carrier: 'first-message' } },
    })
    const seat = guard.seat({ subprotocol: OWN, ticket: 'deferred' })
    utf8(seat, PING)
    await guard.run(0)
    assert.deepEqual(seat.wire.sent, [])
    assert.equal(seat.connection.readyState, 2)
    assert.equal(seat.wire.closes[0]?.[0], 4401)
  })

  test('in report mode is not answered to who has not authenticated', async t => {
    const heard: unknown[] = []
    const guard = guarded(t, {
      report: true,
      handshake: { session: () => ({ id: 's', user: 'ann' }), ticket: { carrier: 'first-message' } },
    })
    const seat = guard.seat({ subprotocol: OWN, ticket: 'deferred', delivery: into(heard) })
    utf8(seat, '{"type":"chat"}')
    await guard.run(0)
    utf8(seat, PING)
    assert.deepEqual(seat.wire.sent, [])
    assert.deepEqual(heard, [{ type: 'chat' }, { type: 'sallyport.ping' }])
  })

  test('is no activity: a page that only sends heartbeats is closed as idle', async t => {
    const guard = guarded(t, { lifetime: { idle: { after: '50 seconds' }, heartbeat: { dangerouslyOff: true } } })
    const seat = guard.seat({ subprotocol: OWN })
    for (let times = 0; times < 4; times++) {
      await guard.run(10_000)
      utf8(seat, PING)
    }
    assert.equal(seat.wire.sent.length, 4)
    await guard.run(11_000)
    assert.deepEqual(seat.wire.closes, [[4408, 'SALLY_IDLE']])
  })

  test('does not keep an expired session alive, nor is it answered then', t => {
    const guard = guarded(t, { lifetime: { session: {} } })
    const expiresAt = Date.now() + 1000
    const seat = guard.seat({ subprotocol: OWN, session: { id: 's', user: 'ann', expiresAt } })
    t.mock.timers.setTime(expiresAt)
    utf8(seat, PING)
    assert.deepEqual(seat.wire.sent, [])
    assert.deepEqual(seat.wire.closes, [[4401, 'SALLY_LIFETIME_EXPIRED']])
  })

  test('is answered while messages are held back', t => {
    const never = new Promise<void>(() => undefined)
    const guard = guarded(t, { message: { concurrency: { handlers: 1 } } })
    const seat = guard.seat({ subprotocol: OWN, delivery: { message: () => never } })
    utf8(seat, '{"type":"slow"}', PING)
    assert.deepEqual(seat.wire.sent, [PONG])
  })

  test('takes nothing of the message budget, and no message takes of its own', t => {
    const guard = guarded(t, { message: { rate: { messages: 3, per: '1 hour', exceed: 'drop' } } })
    const heard: unknown[] = []
    const seat = guard.seat({ subprotocol: OWN, delivery: into(heard) })
    utf8(seat, ...Array.from({ length: 12 }, () => PING))
    utf8(seat, '{"type":"a"}', '{"type":"b"}', '{"type":"c"}', '{"type":"d"}')
    assert.equal(seat.wire.sent.length, 12)
    assert.equal(heard.length, 3)
  })

  for (const [sends, answers, ordinary] of [
    [11, 11, 0],
    [12, 12, 0],
    [13, 12, 1],
    [40, 12, 28],
  ] as const)
    test(`${sends} at once: ${answers} are answered, ${ordinary} are ordinary messages`, t => {
      const heard: unknown[] = []
      const seat = guarded(t).seat({ subprotocol: OWN, delivery: into(heard) })
      utf8(seat, ...Array.from({ length: sends }, () => PING))
      assert.equal(seat.wire.sent.length, answers)
      assert.equal(heard.length, ordinary)
    })

  test('a flood of them ends as a flood of refused messages does', t => {
    const guard = guarded(t, { message: SCHEMA })
    const seat = guard.seat({ subprotocol: OWN })
    utf8(seat, ...Array.from({ length: 30 }, () => PING))
    assert.equal(seat.connection.readyState, 2)
    assert.deepEqual(seat.wire.closes, [[1008, 'SALLY_MESSAGE_STRIKES']])
  })

  test('12 a minute refill evenly: one every 5 s goes on for an hour', async t => {
    const guard = guarded(t, {
      message: SCHEMA,
      lifetime: { heartbeat: { dangerouslyOff: true }, idle: { dangerouslyOff: true } },
    })
    const seat = guard.seat({ subprotocol: OWN })
    utf8(seat, ...Array.from({ length: 11 }, () => PING))
    for (let times = 0; times < 720; times++) {
      utf8(seat, PING)
      t.mock.timers.setTime(Date.now() + 5000)
    }
    assert.equal(seat.wire.sent.length, 731)
    assert.deepEqual(guard.denials(), [])
  })

  test('while the last answer waits for the peer it is an ordinary message; afterwards it is answered again', t => {
    const heard: unknown[] = []
    const seat = guarded(t).seat({ subprotocol: OWN, delivery: into(heard) })
    const { sendText } = seat.wire
    seat.wire.sendText = text => {
      sendText.call(seat.wire, text)
      seat.wire.bufferedAmount += text.length
    }
    utf8(seat, PING, PING)
    assert.deepEqual([seat.wire.sent.length, heard.length], [1, 1])
    seat.wire.bufferedAmount = 0
    utf8(seat, PING)
    assert.deepEqual([seat.wire.sent.length, heard.length], [2, 1])
  })

  test('other bytes that wait for a slow reader do not stop the answer', t => {
    const seat = guarded(t).seat({ subprotocol: OWN })
    seat.wire.bufferedAmount = 50_000
    utf8(seat, PING)
    assert.deepEqual(seat.wire.sent, [PONG])
  })

  test('is answered whatever the format, the discriminator and message.outbound are', t => {
    for (const message of [
      { ...ANY, format: { data: 'binary' } },
      { ...ANY, format: { data: 'text' } },
      { schema: { chat: { type: 'object' } }, discriminator: 'event' },
      { ...SCHEMA, outbound: { chat: { type: 'object' } } },
    ]) {
      const seat = guarded(t, { message }).seat({ subprotocol: OWN })
      utf8(seat, PING)
      assert.deepEqual(seat.wire.sent, [PONG])
      t.mock.timers.reset()
    }
  })
})

describe('message.heartbeat', () => {
  const message = {
    ...SCHEMA,
    heartbeat: [
      { text: 'ping', reply: 'pong' },
      { text: '{"op":"hb","n":"ü"}', reply: '{"op":"ack"}' },
    ],
  }
  const open = (options?: SeatOptions) => (t: Parameters<typeof guarded>[0]) => guarded(t, { message }).seat(options)

  for (const subprotocol of [null, 'chat.v1', OWN])
    test(`is answered where ${subprotocol} was negotiated`, t => {
      const heard: unknown[] = []
      const seat = open({ subprotocol, delivery: into(heard) })(t)
      utf8(seat, 'ping', '{"op":"hb","n":"ü"}')
      seat.read('ping')
      assert.deepEqual(seat.wire.sent, ['pong', '{"op":"ack"}', 'pong'])
      assert.deepEqual(heard, [])
    })

  for (const text of ['Ping', 'ping\n', '"ping"', 'pingping', 'pong', ''])
    test(`${JSON.stringify(text)} is none of them`, t => {
      const seat = open()(t)
      utf8(seat, text)
      assert.notDeepEqual(seat.wire.sent, ['pong'])
    })

  test('all texts share one budget', t => {
    const seat = open({ subprotocol: OWN })(t)
    utf8(seat, ...Array.from({ length: 6 }, () => ['ping', PING]).flat())
    assert.equal(seat.wire.sent.length, 12)
    utf8(seat, 'ping')
    assert.equal(seat.wire.sent.at(-1), '{"type":"error","code":"SALLY_MESSAGE_NOT_JSON"}')
  })
})
