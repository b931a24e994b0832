import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AHEAD_ADDRESS_BYTES, readAhead } from '../../src/connection/read-ahead.ts'
import { close, open, ping, startEngine, text } from '../server/engine-server.ts'

const CLIENTS = 400

/** Lets the server read all that it reads. */
async function quiet(): Promise<void> {
  let before = -1
  for (let still = 0; still < 20; ) {
    await new Promise(resolve => setTimeout(resolve, 5))
    still = readAhead.bytes === before ? still + 1 : 0
    before = readAhead.bytes
  }
}

test('attack: 400 held connections of one address flood: what waits of them is bounded, and another is still heard', async t => {
  const policy = { message: { size: { bytes: 65_536 }, concurrency: { handlers: 1 } } }
  const engine = await startEngine(t, { policy, message: () => new Promise<void>(() => undefined) })
  const clients = []
  for (let index = 0; index < CLIENTS; index++) clients.push(await open(engine))
  const flood = Buffer.concat(Array.from({ length: 100 }, () => text('x'.repeat(1_000))))
  let most = 0
  const look = setInterval(() => (most = Math.max(most, readAhead.bytes)), 1)
  t.after(() => clearInterval(look))
  for (const { socket } of clients) {
    socket.on('error', () => undefined)
    socket.write(text('first'))
    socket.write(flood)
  }
  await quiet()
  assert.ok(Math.max(most, readAhead.bytes) <= AHEAD_ADDRESS_BYTES, `${most} bytes waited`)

  const honest = await open(engine)
  honest.send('first', 'second', ping('a'))
  assert.deepEqual(await honest.hears(1), ['pong a'])
  honest.send(close(1000))
  await honest.closes()

  // All of it is given back with the connections.
  for (const { socket } of clients) socket.destroy()
  while (readAhead.bytes > 0) await new Promise(resolve => setTimeout(resolve, 5))
})

test('attack: the smallest messages: a record of each counts too', async t => {
  const policy = { message: { size: { bytes: 65_536 }, concurrency: { handlers: 1 } } }
  const handled: string[] = []
  const gate = Promise.withResolvers<void>()
  const engine = await startEngine(t, {
    policy,
    message: subject => {
      handled.push(String(subject.text))
      return handled.length === 1 ? gate.promise : undefined
    },
  })
  const client = await open(engine)
  client.socket.write(Buffer.concat(Array.from({ length: 20_000 }, (_, index) => text(String(index % 10)))))
  await quiet()
  // Some hundred records of 256 bytes and what the last read brought, instead of 20 000.
  assert.ok(readAhead.bytes <= 131_072, `${readAhead.bytes} bytes wait`)
  gate.resolve()
  while (handled.length < 20_000) await new Promise(setImmediate)
  assert.deepEqual(
    handled,
    Array.from({ length: 20_000 }, (_, index) => String(index % 10)),
  )
  assert.equal(readAhead.bytes, 0)
  client.socket.destroy()
})
