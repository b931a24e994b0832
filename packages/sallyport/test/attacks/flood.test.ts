import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import type { Connection } from 'sallyport'
import { closeOf as closePayload, frame, OPCODE } from '../guard/raw-peer.ts'
import { nextMessage, type World } from '../support/world.ts'
import { attack, chat, start } from './scene.ts'

const numbered = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => chat(String(index))))

/** Bob is served as if nothing happened. */
async function bobIsServed(world: World, said = 'hello'): Promise<void> {
  const bob = await world.connect('bob-1')
  bob.send(JSON.stringify({ type: 'chat', message: said }))
  assert.deepEqual(await nextMessage(bob), { type: 'chat', message: `echo ${said}` })
  bob.terminate()
}

const LOOSE = { messages: 1_000_000, per: '1 minute', bytes: '1 GB' }
const loose = {
  rate: {
    ...LOOSE,
    perUser: { messages: 1_000_000, per: '1 minute' },
    perIp: { messages: 1_000_000, per: '1 minute' },
  },
}

const world = await start()

test('20 000 messages on one connection: as many handled as the budget has, then 1008; others are served meanwhile', async () => {
  const before = world.handled.length
  const mallory = await attack(world)
  mallory.socket.write(numbered(20_000))
  const served = bobIsServed(world, 'meanwhile')
  assert.deepEqual(await mallory.ended, { code: 1008, reason: 'SALLY_MESSAGE_RATE' })
  await served
  assert.deepEqual(
    world.handled.slice(before).filter(said => (said as { message: string }).message !== 'meanwhile'),
    Array.from({ length: 100 }, (_, index) => ({ type: 'chat', message: String(index) })),
  )
  const denials = world.events.filter(({ code, kind }) => kind === 'denial' && code === 'SALLY_MESSAGE_RATE')
  assert.equal(denials.length, 1)
})

test('10 000 messages in one write while the first is still judged: bounded, none lost, in order', async () => {
  const gate = Promise.withResolvers<boolean>()
  const first = Promise.withResolvers<void>()
  const slow = await start({
    message: {
      ...loose,
      authorize(_session: unknown, { message }: { message: string }) {
        if (message !== '0') return true
        first.resolve()
        return gate.promise
      },
    },
  })
  const mallory = await attack(slow)
  mallory.socket.write(numbered(10_000))
  await first.promise
  await bobIsServed(slow)
  assert.equal(slow.handled.length, 1)
  gate.resolve(true)
  await mallory.frame(({ payload }) => payload.includes('echo 9999"'))
  assert.deepEqual(
    slow.handled.slice(1).map(said => Number((said as { message: string }).message)),
    Array.from({ length: 10_000 }, (_, index) => index),
  )
})

for (const [name, opcode] of [
  ['ping', OPCODE.ping],
  ['pong', OPCODE.pong],
] as const) {
  test(`a flood of ${name} frames is closed with 1008 at the bound, not before`, async () => {
    const mallory = await attack(world)
    mallory.socket.write(Buffer.concat(Array.from({ length: 60 }, () => frame(opcode, 'x'))))
    mallory.socket.write(chat('still here'))
    await mallory.frame(({ payload }) => payload.includes('echo still here'))
    mallory.socket.write(Buffer.concat(Array.from({ length: 1000 }, () => frame(opcode, 'x'))))
    assert.deepEqual(await mallory.ended, { code: 1008, reason: 'SALLY_CONTROL_FRAMES' })
  })
}

for (const [name, announced] of [
  ['one byte above the bound', 65_537n],
  ['64 MiB', 64n * 1024n * 1024n],
  ['2^53', 2n ** 53n],
  ['2^63 - 1', 2n ** 63n - 1n],
] as const) {
  test(`a frame that announces ${name} is refused with 1009 by its header alone`, async () => {
    const mallory = await attack(world)
    mallory.socket.write(frame(OPCODE.text, '', { announced }))
    assert.equal((await mallory.ended).code, 1009)
    await world.event(({ kind, code }) => kind === 'denial' && code === 'SALLY_MESSAGE_TOO_BIG')
  })
}

test('fragments that are each small and together too big are refused with 1009', async () => {
  const mallory = await attack(world)
  const part = 'x'.repeat(16_384)
  mallory.socket.write(frame(OPCODE.text, part, { fin: false }))
  for (let more = 0; more < 4; more++) mallory.socket.write(frame(OPCODE.continuation, part, { fin: false }))
  assert.equal((await mallory.ended).code, 1009)
})

test('100 000 fragments of one byte are refused at the bound of fragments', async () => {
  const mallory = await attack(world)
  const fragment = frame(OPCODE.continuation, 'x', { fin: false })
  mallory.socket.write(frame(OPCODE.text, '{', { fin: false }))
  mallory.socket.write(Buffer.concat(Array.from({ length: 100_000 }, () => fragment)))
  const { code } = await mallory.ended
  // With the rest of the flood still under way the close frame may be lost to a reset.
  assert.ok([1006, 1009].includes(code), String(code))
  await world.event(({ kind, code: denial }) => kind === 'denial' && denial === 'SALLY_MESSAGE_FRAGMENTS')
  await bobIsServed(world)
})

test('fragments: as many as the bound pass, one more is refused', async () => {
  const text = JSON.stringify({ type: 'chat', message: 'x'.repeat(100) })
  const cut = (count: number): Buffer =>
    Buffer.concat(
      Array.from({ length: count }, (_, index) =>
        frame(index === 0 ? OPCODE.text : OPCODE.continuation, index === count - 1 ? text.slice(index) : text[index], {
          fin: index === count - 1,
        }),
      ),
    )
  const honest = await attack(world)
  honest.socket.write(cut(64))
  await honest.frame(({ payload }) => payload.includes('echo xxx'))
  honest.socket.write(cut(65))
  assert.deepEqual(await honest.ended, { code: 1009, reason: 'SALLY_MESSAGE_FRAGMENTS' })
})

test('where deflate is allowed a bomb of 1 : 1000 is refused with 1009', async () => {
  const deflating = await start({ handshake: { extensions: { deflate: true } } })
  const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { finishFlush: 2, windowBits: 12 }).subarray(0, -4)
  const mallory = await attack(deflating, {
    extensions: 'permessage-deflate; client_max_window_bits; client_no_context_takeover',
  })
  // Within the bound on the wire: what is too big is what comes out.
  assert.ok(bomb.length > 60_000, String(bomb.length))
  mallory.socket.write(frame(OPCODE.text, bomb.subarray(0, 60_000), { rsv1: true }))
  assert.equal((await mallory.ended).code, 1009)
  await deflating.event(({ kind, code }) => kind === 'denial' && code === 'SALLY_MESSAGE_TOO_BIG')
  await bobIsServed(deflating)
})

for (const [name, payload, expected] of [
  ['a payload of one byte', Buffer.from([3]), 1002],
  ['code 0', closePayload(0), 1002],
  ['code 999', closePayload(999), 1002],
  ['code 1004', closePayload(1004), 1002],
  ['code 1005', closePayload(1005), 1002],
  ['code 1006', closePayload(1006), 1002],
  ['code 1015', closePayload(1015), 1002],
  ['code 2999', closePayload(2999), 1002],
  ['code 5000', closePayload(5000), 1002],
  ['code 65535', closePayload(65_535), 1002],
  ['a reason that is not UTF-8', closePayload(1000, Buffer.from([0xc3, 0x28])), 1007],
  ['a reason that is half a surrogate', closePayload(1000, Buffer.from([0xed, 0xa0, 0x80])), 1007],
  ['126 bytes', closePayload(1000, 'x'.repeat(124)), 1002],
  ['no payload', Buffer.alloc(0), 1005],
  ['code 4999', closePayload(4999, 'bye'), 4999],
] as const) {
  test(`a close frame with ${name} is answered with ${expected}`, async () => {
    const mallory = await attack(world)
    mallory.socket.write(frame(OPCODE.close, payload))
    assert.equal((await mallory.ended).code, expected)
  })
}

test('messages after the peer’s own close frame are not handled', async () => {
  const before = world.handled.length
  const mallory = await attack(world)
  mallory.socket.write(
    Buffer.concat([chat('before'), frame(OPCODE.close, closePayload(1000)), chat('after'), chat('after')]),
  )
  assert.equal((await mallory.ended).code, 1000)
  assert.deepEqual(world.handled.slice(before), [{ type: 'chat', message: 'before' }])
})

test('messages after a close of ours are not handled', async () => {
  const before = world.handled.length
  const mallory = await attack(world)
  mallory.socket.write(frame(OPCODE.text, '{"type":"chat","message":"first"}'))
  await mallory.frame(({ payload }) => payload.includes('echo first'))
  await world.guard.revoke({ session: 'ann-1' })
  world.accounts.sessions.set('ann-1', { id: `ann-${Math.random()}`, user: 'ann' })
  mallory.socket.write(numbered(100))
  mallory.socket.write(frame(OPCODE.close, closePayload(1000)))
  assert.deepEqual(await mallory.ended, { code: 4401, reason: 'SALLY_LIFETIME_REVOKED' })
  assert.equal(world.handled.length - before, 1)
})

test('a flood of invalid messages is answered by the strikes alone, then closed', async () => {
  const mallory = await attack(world)
  mallory.socket.write(Buffer.concat(Array.from({ length: 5000 }, () => frame(OPCODE.text, '{"type":"chat"}'))))
  assert.deepEqual(await mallory.ended, { code: 1008, reason: 'SALLY_MESSAGE_STRIKES' })
  assert.equal(mallory.received.filter(({ opcode }) => opcode === OPCODE.text).length, 5)
})

test('a handler that never settles holds its own connection alone: at the bound its socket is paused', async () => {
  let started = 0
  const stuck = await start(
    { message: loose },
    {
      handlers: {
        chat(said: { readonly type: string; readonly message?: unknown }, connection: Connection) {
          const { message } = said
          if (typeof message === 'string' && message.startsWith('hello')) {
            connection.send({ type: 'chat', message: `echo ${message}` })
            return undefined
          }
          started++
          return new Promise(() => {})
        },
      },
    },
  )
  const mallory = await attack(stuck)
  mallory.socket.write(numbered(20_000))
  await stuck.event(({ code }) => code === 'SALLY_MESSAGE_CONCURRENCY')
  await bobIsServed(stuck)
  assert.equal(started, 16)
  // And it can be ended from outside, paused as it is.
  await stuck.guard.revoke({ user: 'ann' })
  assert.equal((await mallory.ended).code, 4401)
  assert.equal(started, 16)
})
