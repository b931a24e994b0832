import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Connection } from '../../src/connection/connection.ts'
import type { Delivery } from '../../src/connection/services.ts'
import { type EngineServer, open, startEngine, text } from './engine-server.ts'

const CLIENTS = 12
const ROUNDS = 4
const READS = 20
/** Short ones, each length of a frame's header, one that leaves little of the write buffer, one that it does not hold. */
const SIZES = [5, 50, 5, 125, 126, 50, 2000, 300, 40_000, 70_000]

/** Numbers below `bound`, the same each time. */
function dice(seed: number): (bound: number) => number {
  let state = seed
  return bound => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % bound
  }
}

const sealed = (letter: string): string => `${letter}|${createHash('sha1').update(letter).digest('hex')}`

/**
 * All replies of a process go through one piece of memory, those over TLS for several turns. Here connections of both
 * kinds speak at once, handlers write to each other's, throw, wait, close, cut and destroy, and peers leave in the middle.
 */
test('whatever handlers do to any connection, over TLS and plain: no byte of one connection reaches another, and each has its order', {
  // Bytes that went to another are missed by whom they were for.
  timeout: 30_000,
}, async t => {
  const roll = dice(7)
  const names = new Map<string, Connection>()
  let said = 0
  const say = (to: Connection, name: string): void => {
    const letter = sealed(`${name}|${said++}|${'x'.repeat(SIZES[roll(SIZES.length)]!)}`)
    const way = roll(4)
    if (way === 0) to.send(letter)
    else if (way === 1) to.send(Buffer.from(letter))
    else to.send(way === 2 ? { letter } : { letter, more: [1, 2.5, null, { umlaut: 'ü' }] })
  }
  const engines: EngineServer[] = []
  const message: Delivery['message'] = (subject, connection) => {
    const hello = /^hello (.*)$/.exec(subject.text ?? '')?.[1]
    if (hello !== undefined) {
      connection.data = hello
      names.set(hello, connection)
      return undefined
    }
    const own = String(connection.data)
    const [name, other] = [...names][roll(names.size)] ?? [own, connection]
    const act = roll(100)
    say(connection, own)
    if (act < 40) say(other, name)
    else if (act < 50) throw new Error('a handler that fails')
    else if (act < 65) {
      return (async () => {
        say(other, name)
        await new Promise(setImmediate)
        say(connection, own)
        say(other, name)
      })()
    } else if (act === 65) connection.close(4000, 'bye')
    else if (act === 66) other.terminate()
    else if (act === 67) other.close()
    else if (act === 68) {
      const { sockets } = engines[roll(2)]!
      sockets[roll(sockets.length)]!.destroy()
      say(connection, own)
    }
    return undefined
  }
  const policy = { message: { strikes: 10_000 }, lifetime: { backpressure: { bytes: 1 << 28 } } }
  for (const tls of [false, true]) engines.push(await startEngine(t, { tls, message, policy }))

  let heard = 0
  const faults: string[] = []
  const judge = (name: string, lines: readonly string[]): void => {
    let last = -1
    for (const line of lines) {
      if (/^close |SALLY_HANDLER_FAILED/.test(line)) continue
      const bytes = line.startsWith('binary ') ? Buffer.from(line.slice(7), 'hex').toString() : line.slice(5)
      const letter = bytes.startsWith('{') ? String((JSON.parse(bytes) as { letter: unknown }).letter) : bytes
      const [to, nth] = letter.split('|')
      const whole = sealed(letter.slice(0, letter.lastIndexOf('|'))) === letter
      if (!whole || to !== name || Number(nth) <= last) faults.push(`${name}: ${line.slice(0, 80)} after ${last}`)
      last = Number(nth)
      heard++
    }
  }
  const visit = async (engine: EngineServer, name: string): Promise<void> => {
    // A handler may have cut it before it was answered.
    const client = await open(engine).catch((error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'ECONNRESET')
      return null
    })
    if (client === null) return
    client.socket.on('error', () => undefined)
    client.send(`hello ${name}`)
    for (let read = 0; read < READS && !client.socket.destroyed; read++) {
      const frames = Array.from({ length: 1 + roll(20) }, () => text('go'.repeat(roll(200))))
      const bytes = Buffer.concat(frames)
      const cut = roll(3) === 0 ? roll(bytes.length) : 0
      // Over TLS each write is a record.
      for (const one of cut > 0 ? [bytes.subarray(0, cut), bytes.subarray(cut)] : frames) client.socket.write(one)
      await new Promise(setImmediate)
    }
    names.delete(name)
    if (roll(4) > 0) client.send(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
    else client.socket.destroy()
    await client.closes()
    judge(name, client.heard)
  }
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, nth) => {
      for (let round = 0; round < ROUNDS; round++) await visit(engines[nth % 2]!, `${nth}.${round}`)
    }),
  )
  assert.deepEqual(faults, [])
  // How much is heard depends on who was cut when; it is never so little.
  assert.ok(heard > 300, `${heard} of ${said}`)
})
