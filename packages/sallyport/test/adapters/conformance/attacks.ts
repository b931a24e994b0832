import assert from 'node:assert/strict'
import { frame, OPCODE } from '../../guard/raw-peer.ts'
import { chat, enter, honest, isEnd, type Row } from './row.ts'
import { denialOf, Refused } from './way-in.ts'

const refusedWith = (status: number, code: string) => (error: unknown) =>
  error instanceof Refused && error.status === status && error.body.includes(code)

/** A handshake that is refused, whatever else is right with it. */
const refusal = (name: string, status: number, code: string, change: (origin: string) => object): Row => ({
  name,
  async run(way) {
    const running = await way({})
    const ticket = await running.ticket('ann')
    const dialling = { ...honest(running, ticket), ...change(running.origin) }
    await assert.rejects(running.dial(dialling), refusedWith(status, code))
    await running.event(denialOf(code))
    assert.equal(running.guard.counters().open, 0)
  },
})

/** A message that is refused and answered; the connection goes on. */
const badMessage = (name: string, code: string, json: string): Row => ({
  name,
  async run(way) {
    const running = await way({})
    const client = await enter(running)
    client.say(json)
    assert.deepEqual(await client.next(), { type: 'error', code })
    client.say(chat('still here'))
    assert.deepEqual(await client.next(), { type: 'chat', text: 'still here' })
    assert.deepEqual(running.app.handled, [{ type: 'chat', text: 'still here' }])
  },
})

/** What no client library sends; the connection ends. */
const badFrame = (name: string, closeCode: number, bytes: Uint8Array): Row => ({
  name: `a frame ${name} ends the connection`,
  needs: 'frames',
  async run(way) {
    const running = await way({})
    const client = await enter(running)
    client.write(bytes)
    const code = await client.ended
    assert.ok(code === closeCode || code === 1006, `closed with ${code}`)
    await running.event(isEnd)
    assert.deepEqual(running.app.handled, [])
  },
})

const HANDSHAKES: readonly Row[] = [
  refusal('a foreign Origin is refused', 403, 'SALLY_ORIGIN_NOT_ALLOWED', () => ({ origin: 'https://evil.example' })),
  refusal('an Origin that begins like ours is refused', 403, 'SALLY_ORIGIN_NOT_ALLOWED', origin => ({
    origin: `${origin}.evil.example`,
  })),
  refusal('a missing Origin is refused', 403, 'SALLY_ORIGIN_MISSING', () => ({ origin: null })),
  refusal('no session is refused', 401, 'SALLY_SESSION_MISSING', () => ({ sid: null })),
  refusal('no ticket is refused', 403, 'SALLY_TICKET_MISSING', () => ({ ticket: null })),
  refusal('the ticket of another session is refused', 403, 'SALLY_TICKET_INVALID', () => ({ sid: 'bob' })),
  {
    name: 'a ticket opens one connection, not two',
    async run(way) {
      const running = await way({})
      const ticket = await running.ticket('ann')
      await running.dial(honest(running, ticket))
      await assert.rejects(running.dial(honest(running, ticket)), refusedWith(403, 'SALLY_TICKET_USED'))
    },
  },
]

const MESSAGES: readonly Row[] = [
  badMessage('a message against its schema is refused', 'SALLY_MESSAGE_INVALID', '{"type":"chat","text":7}'),
  badMessage('a type that nobody declared is refused', 'SALLY_MESSAGE_TYPE', '{"type":"root","text":"x"}'),
  badMessage(
    'a key that reaches the prototype is refused',
    'SALLY_MESSAGE_KEY',
    '{"type":"chat","text":"x","__proto__":{"admin":true}}',
  ),
  badMessage('a key that stands twice is refused', 'SALLY_MESSAGE_KEY', '{"type":"chat","text":"x","text":"y"}'),
  badMessage(
    'a number that a double cannot hold is refused',
    'SALLY_MESSAGE_NUMBER',
    '{"type":"chat","text":"x","n":1e999}',
  ),
  {
    name: 'an oversized message ends the connection',
    async run(way) {
      const running = await way({})
      const client = await enter(running)
      client.say(chat('x'.repeat(70_000)))
      await client.ended
      await running.event(denialOf('SALLY_MESSAGE_TOO_BIG'))
      assert.deepEqual(running.app.handled, [])
    },
  },
  {
    name: 'a flood ends the connection, and its surplus is not handled',
    async run(way) {
      const running = await way({ message: { rate: { messages: 10, per: '1 minute', burst: 10 } } })
      const client = await enter(running)
      for (let sent = 0; sent < 100; sent++) client.say(chat(`flood ${sent}`))
      await client.ended
      await running.event(denialOf('SALLY_MESSAGE_RATE'))
      assert.ok(running.app.handled.length <= 10, `${running.app.handled.length} messages were handled`)
    },
  },
  {
    name: 'binary where text is meant ends the connection',
    needs: 'binary',
    async run(way) {
      const running = await way({})
      const client = await enter(running)
      client.sayBinary(Buffer.from(chat('in bytes')))
      await running.event(denialOf('SALLY_MESSAGE_NOT_TEXT'))
      await client.ended
      assert.deepEqual(running.app.handled, [])
    },
  },
  badFrame('without a mask', 1002, Buffer.from([0x81, 0x02, 0x7b, 0x7d])),
  badFrame('with a reserved bit', 1002, frame(OPCODE.text, '{}', { rsv1: true })),
  badFrame('with a reserved opcode', 1002, frame(3, '{}')),
  badFrame('of a ping in fragments', 1002, frame(OPCODE.ping, 'x', { fin: false })),
  badFrame('of a ping over 125 bytes', 1002, frame(OPCODE.ping, 'x'.repeat(126))),
  badFrame('of text that is not UTF-8', 1007, frame(OPCODE.text, Buffer.from([0xff, 0xfe]))),
]

const LIFETIMES: readonly Row[] = [
  {
    name: 'a peer that does not read is ended',
    async run(way) {
      const running = await way({ lifetime: { backpressure: { bytes: '64 KiB', for: 500 } } })
      const client = await enter(running)
      client.stopReading()
      client.say('{"type":"bulk"}')
      await running.event(denialOf('SALLY_BACKPRESSURE'))
      await running.event(isEnd)
      client.cut()
    },
  },
  {
    name: 'a peer that answers no ping is ended',
    needs: 'heartbeat',
    async run(way) {
      const running = await way({ lifetime: { heartbeat: { interval: 1_000, timeout: 300 } } })
      const client = await enter(running, { answersPings: false })
      await client.pinged()
      await running.event(denialOf('SALLY_HEARTBEAT_LOST'))
      await client.ended
    },
  },
  {
    name: 'revoke ends the connections of a session, spares others, and nothing is handled behind it',
    async run(way) {
      const running = await way({})
      const [ann, bob] = [await enter(running), await enter(running, { sid: 'bob' })]
      await running.guard.revoke({ session: 'ann' })
      ann.say(chat('after the logout'))
      await ann.ended
      await running.event(denialOf('SALLY_LIFETIME_REVOKED'))
      bob.say(chat('still here'))
      assert.deepEqual(await bob.next(), { type: 'chat', text: 'still here' })
      assert.deepEqual(running.app.handled, [{ type: 'chat', text: 'still here' }])
    },
  },
  {
    name: 'a session past its expiry is ended',
    async run(way) {
      const running = await way({})
      const client = await enter(running, { sid: `ann~${Date.now() + 1_500}` })
      client.say(chat('in time'))
      await client.next()
      await running.event(denialOf('SALLY_LIFETIME_EXPIRED'))
      await client.ended
    },
  },
  {
    name: 'drain ends what is open and refuses what comes',
    async run(way) {
      const running = await way({})
      const client = await enter(running)
      const ticket = await running.ticket('bob')
      await running.guard.drain({ withinMs: 50 })
      await client.ended
      await assert.rejects(running.dial({ ...honest(running, ticket), sid: 'bob' }), refusedWith(503, 'SALLY_SHUTDOWN'))
    },
  },
  {
    name: 'report mode lets a foreign Origin and a bad message pass, and tells',
    async run(way) {
      const running = await way({ report: true })
      const ticket = await running.ticket('ann')
      const client = await running.dial({ ...honest(running, ticket), origin: 'https://evil.example' })
      await running.event(denialOf('SALLY_ORIGIN_NOT_ALLOWED', false))
      client.say('{"type":"chat","text":"x","__proto__":{"admin":true}}')
      await running.event(denialOf('SALLY_MESSAGE_KEY', false))
      client.say(chat('still here'))
      while ((await client.next())['text'] !== 'still here');
    },
  },
]

export const ATTACKS: readonly Row[] = [...HANDSHAKES, ...MESSAGES, ...LIFETIMES]
