import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import type { Connection, ConnectOptions, Lifecycle } from '../../src/client/index.ts'
import { PING_TYPE, PONG_TYPE } from '../../src/controls/message/heartbeat.ts'
import { type In, openFake, type Out } from './client-fixtures.ts'
import type { FakeSocket } from './fake-socket.ts'
import { settle } from './fake-socket.ts'
import { withPage } from './fake-page.ts'

const PING = JSON.stringify({ type: PING_TYPE })
const PONG = JSON.stringify({ type: PONG_TYPE })
const OWN = 'sallyport.v1'
const CHAT = { type: 'chat', text: 'x' }

interface Opened {
  readonly connection: Connection<Out, In>
  readonly made: FakeSocket[]
  readonly socket: FakeSocket
  readonly closes: Lifecycle['close'][]
}

async function opened(protocol = OWN, options: ConnectOptions = {}): Promise<Opened> {
  const { connection, made } = await openFake(options)
  const closes: Lifecycle['close'][] = []
  connection.when('close', what => closes.push(what))
  made[0]?.accept(protocol)
  return { connection, made, socket: made[0]!, closes }
}

const pings = (socket: FakeSocket): number => socket.sent.filter(text => text === PING).length

describe('a connection that brings nothing', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }))
  afterEach(() => mock.timers.reset())

  it('is asked after 20 s, and given up 8 s later: another one is dialled', async () => {
    const { connection, made, socket, closes } = await opened()
    mock.timers.tick(19_999)
    assert.deepEqual(socket.sent, [])
    mock.timers.tick(1)
    assert.deepEqual(socket.sent, [PING])
    mock.timers.tick(7999)
    assert.equal(connection.state, 'open')
    mock.timers.tick(1)
    assert.equal(connection.state, 'waiting')
    assert.equal(connection.send({ type: 'leave' }), false)
    assert.deepEqual(closes, [{ code: 1006, reason: 'SALLY_HEARTBEAT_LOST' }])
    assert.equal(socket.closedWith, 1000)
    mock.timers.tick(2)
    await settle()
    assert.equal(made.length, 2)
    socket.say(CHAT)
    socket.end(1006)
    assert.equal(connection.state, 'connecting', 'what the dead socket still says is not heard')
  })

  for (const [row, answer] of [
    ['the answer', PONG],
    ['a message', JSON.stringify(CHAT)],
    ['an error reply, as of a server that knows no heartbeat', '{"type":"error","code":"SALLY_MESSAGE_TYPE"}'],
    ['noise', 'noise'],
    ['bytes', new Uint8Array(3)],
  ] as const)
    it(`lives on after ${row}, and is asked again 20 s later`, async () => {
      const { connection, socket } = await opened()
      for (let round = 1; round <= 5; round++) {
        mock.timers.tick(20_000)
        assert.equal(pings(socket), round)
        mock.timers.tick(7999)
        socket.sayRaw(answer)
      }
      mock.timers.tick(19_999)
      assert.equal(pings(socket), 5)
      assert.equal(connection.state, 'open')
    })

  it('the answer is no message: no listener hears it, and it is not counted as ignored', async () => {
    const { connection, socket } = await opened()
    const heard: unknown[] = []
    connection.onMessage(message => heard.push(message))
    mock.timers.tick(20_000)
    socket.sayRaw(PONG)
    assert.deepEqual(heard, [])
    assert.equal(connection.ignored, 0)
  })

  it('is not asked while messages come', async () => {
    const { socket } = await opened()
    for (let times = 0; times < 10; times++) {
      mock.timers.tick(19_000)
      socket.say(CHAT)
    }
    assert.deepEqual(socket.sent, [])
  })

  for (const protocol of ['', 'chat.v1', 'sallyport.v2'])
    it(`gets nothing from us where '${protocol}' was negotiated`, async () => {
      const { connection, socket } = await opened(protocol)
      mock.timers.tick(3_600_000)
      assert.deepEqual(socket.sent, [])
      assert.equal(connection.state, 'open')
    })

  it('is asked by the text of message.heartbeat, whatever was negotiated', async () => {
    const { connection, socket } = await opened('', { heartbeat: { text: 'ping', reply: 'pong' } })
    connection.onMessage(() => assert.fail('the answer is no message'))
    mock.timers.tick(20_000)
    assert.deepEqual(socket.sent, ['ping'])
    socket.sayRaw('pong')
    mock.timers.tick(8000)
    assert.equal(connection.state, 'open')
    mock.timers.tick(12_000)
    mock.timers.tick(8000)
    assert.equal(connection.state, 'waiting')
  })

  it('is not asked with heartbeat: false', async () => {
    const { connection, socket } = await opened(OWN, { heartbeat: false })
    mock.timers.tick(3_600_000)
    assert.deepEqual(socket.sent, [])
    assert.equal(connection.state, 'open')
  })

  it('has the times of its options', async () => {
    const { connection, socket } = await opened(OWN, { heartbeat: { after: 50, within: 30 } })
    mock.timers.tick(49)
    assert.equal(pings(socket), 0)
    mock.timers.tick(1)
    assert.equal(pings(socket), 1)
    mock.timers.tick(29)
    assert.equal(connection.state, 'open')
    mock.timers.tick(1)
    assert.equal(connection.state, 'waiting')
  })

  it('in first-message mode is not asked before it is authenticated', async () => {
    const { connection, made } = await openFake({ ticket: () => 'token', carrier: 'first-message' })
    await settle()
    made[0]?.accept(OWN)
    mock.timers.tick(14_000)
    assert.equal(made[0]?.sent.length, 1, 'the ticket alone')
    made[0]?.say({ type: 'authenticated' })
    mock.timers.tick(20_000)
    assert.equal(made[0]?.sent[1], PING)
    assert.equal(connection.state, 'open')
  })

  it('that was closed leaves no timer behind', async () => {
    const { connection, socket } = await opened()
    connection.close()
    mock.timers.tick(3_600_000)
    assert.deepEqual(socket.sent, [])
    assert.equal(connection.state, 'closed')
  })

  it('whose closing handshake hangs is given up too', async () => {
    const { connection, socket } = await opened()
    socket.readyState = 2
    assert.equal(connection.send({ type: 'leave' }), false)
    mock.timers.tick(20_000)
    mock.timers.tick(8000)
    assert.equal(connection.state, 'waiting')
  })

  it('an upload that moves is not cut for the question behind it; one that stands is', async () => {
    const { connection, socket } = await opened()
    socket.onSend = text => {
      if (text === PING) socket.bufferedAmount = 900_000
    }
    mock.timers.tick(20_000)
    for (const left of [600_000, 300_000, 1]) {
      socket.bufferedAmount = left
      mock.timers.tick(8000)
      assert.equal(connection.state, 'open')
    }
    mock.timers.tick(8000)
    assert.equal(connection.state, 'waiting')
  })

  it('a page that was frozen in between is asked once more, and once only', async () => {
    const { connection, socket } = await opened()
    mock.timers.tick(20_000)
    assert.equal(pings(socket), 1)
    // The timer comes an hour late, as after sleep.
    mock.timers.tick(3_600_000)
    assert.equal(connection.state, 'open')
    assert.equal(pings(socket), 2)
    mock.timers.tick(3_600_000)
    assert.equal(connection.state, 'waiting')
  })
})

describe('a page that is looked at again', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }))
  afterEach(() => mock.timers.reset())

  for (const [event, target] of [
    ['visibilitychange', 'tab'],
    ['online', 'page'],
    ['pageshow', 'page'],
  ] as const)
    it(`asks at ${event}, and dials again when nothing comes within 3 s`, () =>
      withPage('visible', async page => {
        const { connection, made, socket } = await opened()
        mock.timers.tick(1000)
        page[target].dispatchEvent(new Event(event))
        assert.equal(pings(socket), 1)
        mock.timers.tick(2999)
        assert.equal(connection.state, 'open')
        mock.timers.tick(1)
        assert.equal(connection.state, 'connecting', 'at once: somebody waits for it')
        assert.equal(connection.send({ type: 'leave' }), false)
        await settle()
        assert.equal(made.length, 2)
      }))

  it('shortens a wait of 8 s to 3 s, and sends no second question', () =>
    withPage('visible', async ({ page }) => {
      const { connection, socket } = await opened()
      mock.timers.tick(20_000)
      mock.timers.tick(1000)
      page.dispatchEvent(new Event('online'))
      assert.equal(pings(socket), 1)
      mock.timers.tick(2999)
      assert.equal(connection.state, 'open')
      mock.timers.tick(1)
      assert.equal(connection.state, 'connecting')
    }))

  it('does not lengthen a wait that is nearly over', () =>
    withPage('visible', async ({ page }) => {
      const { connection } = await opened()
      mock.timers.tick(20_000)
      mock.timers.tick(7000)
      page.dispatchEvent(new Event('online'))
      mock.timers.tick(1000)
      assert.equal(connection.state, 'connecting')
    }))

  it('does not ask when it is hidden', () =>
    withPage('hidden', async ({ tab }) => {
      const { socket } = await opened()
      tab.dispatchEvent(new Event('visibilitychange'))
      assert.deepEqual(socket.sent, [])
    }))

  it('asks in a hidden page that comes online', () =>
    withPage('hidden', async ({ page }) => {
      const { socket } = await opened()
      page.dispatchEvent(new Event('online'))
      assert.equal(pings(socket), 1)
    }))

  it('that is turned to a hundred times a minute stays within what the server answers', () =>
    withPage('visible', async ({ tab }) => {
      const { connection, socket } = await opened()
      socket.onSend = () => queueMicrotask(() => socket.sayRaw(PONG))
      const times: number[] = []
      for (let turn = 0; turn < 600; turn++) {
        const before = pings(socket)
        tab.dispatchEvent(new Event('visibilitychange'))
        await settle()
        if (pings(socket) > before) times.push(Date.now())
        mock.timers.tick(100)
        await settle()
      }
      assert.ok(times.length >= 10, `${times.length}`)
      for (const [nth, time] of times.entries()) {
        const inOneMinute = times.slice(nth).filter(later => later - time < 60_000).length
        // 12 at once and 12 more within the minute is what the server's budget lets pass.
        assert.ok(inOneMinute <= 22, `${inOneMinute}`)
      }
      assert.equal(connection.state, 'open')
    }))
})

describe('open()', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }))
  afterEach(() => mock.timers.reset())

  it('asks a connection that seems open, and dials again when nothing comes within 3 s', async () => {
    const { connection, made, socket } = await opened()
    connection.open()
    connection.open()
    assert.equal(pings(socket), 1)
    mock.timers.tick(3000)
    assert.equal(connection.state, 'connecting')
    await settle()
    assert.equal(made.length, 2)
  })

  it('leaves one that answers as it is', async () => {
    const { connection, made, socket } = await opened()
    connection.open()
    socket.sayRaw(PONG)
    mock.timers.tick(3000)
    await settle()
    assert.equal(connection.state, 'open')
    assert.equal(made.length, 1)
  })

  it('dials again at once where a server that cannot be asked was silent for 20 s, and not sooner', async () => {
    const { connection, made, closes } = await opened('chat.v1')
    mock.timers.tick(19_999)
    connection.open()
    assert.equal(connection.state, 'open')
    mock.timers.tick(1)
    connection.open()
    assert.equal(connection.state, 'connecting')
    assert.deepEqual(closes, [{ code: 1006, reason: '' }])
    await settle()
    assert.equal(made.length, 2)
    made[1]?.accept('chat.v1')
    assert.equal(connection.state, 'open')
  })
})
