import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { type EngineServer, open, startEngine } from './engine-server.ts'

/** The handle of a socket; `fd` is what the fast path of writing needs of Node. */
const handleOf = (socket: Socket): { readonly fd: number } =>
  (socket as unknown as { readonly _handle: { readonly fd: number } })._handle

const refuse = (code: string) => (): never => {
  throw Object.assign(new Error(code), { code })
}

/** Bytes that each system call past a stream took, by its descriptor: those of the servers' sockets alone. */
let calls: Map<number, number[]>
/** Stands for the system call, which it is given; null for the call itself. */
let instead: ((write: (length: number) => number, length: number) => number) | null

beforeEach(() => {
  calls = new Map()
  instead = null
  const { writeSync } = fs
  mock.method(fs, 'writeSync', (fd: number, bytes: Buffer, offset: number, length: number): number => {
    const write = (most: number): number => writeSync(fd, bytes, offset, most)
    let took = 0
    try {
      took = instead === null ? write(length) : instead(write, length)
    } finally {
      calls.get(fd)?.push(took)
    }
    return took
  })
  // For the engine, which imported it by its name.
  syncBuiltinESMExports()
})

afterEach(() => {
  mock.restoreAll()
  syncBuiltinESMExports()
})

interface Told {
  /** Bytes that were to be sent: the answer to the handshake, then a turn each. */
  readonly turns: readonly number[]
  /** Bytes that each system call past the stream took. */
  readonly calls: readonly number[]
  /** Bytes that the stream sent. */
  readonly streamed: number
}

/** Opens a connection on a new server and has three turns echoed. */
async function echo(
  t: { after(hook: () => Promise<void>): void },
  { tls = false, prepare }: { readonly tls?: boolean; readonly prepare?: (socket: Socket) => void } = {},
): Promise<Told> {
  const engine: EngineServer = await startEngine(t, { tls })
  let own: number[] = []
  engine.server.prependListener('connection', (socket: Socket) => {
    own = []
    calls.set(handleOf(socket).fd, own)
    prepare?.(socket)
  })
  const client = await open(engine)
  const heard: string[] = []
  for (const words of [['a'], ['b', 'c'], ['é'.repeat(100)]]) {
    client.send(...words)
    heard.push(...words.map(word => `text ${word}`))
    assert.deepEqual(await client.hears(heard.length), heard)
  }
  client.socket.destroy()
  return { turns: [client.answer.length, 3, 6, 204], calls: own, streamed: engine.sockets[0]!.bytesWritten }
}

describe('the fast path of writing', () => {
  test('is taken for the answer to the handshake and for each turn, and the stream sends nothing', async t => {
    const told = await echo(t)
    assert.deepEqual(told.calls, told.turns)
    assert.equal(told.streamed, 0)
  })

  const sum = (bytes: readonly number[]): number => bytes.reduce((one, other) => one + other, 0)
  const halves = (turns: readonly number[]): number[] => turns.map(length => length >> 1)
  const rows: readonly (readonly [
    name: string,
    prepare: (socket: Socket) => void,
    taken: (turns: readonly number[]) => readonly number[],
  ])[] = [
    [
      'where Node tells no descriptor: no call, all by the stream',
      socket => void Object.defineProperty(handleOf(socket), 'fd', { value: undefined }),
      () => [],
    ],
    [
      'where the kernel takes a half: the other half by the stream, behind it',
      () => (instead = (write, length) => write(length >> 1)),
      halves,
    ],
    [
      'where the kernel is full: all by the stream, and it is tried again',
      () => (instead = refuse('EAGAIN')),
      turns => turns.map(() => 0),
    ],
  ]
  for (const [name, prepare, taken] of rows) {
    test(name, async t => {
      const told = await echo(t, { prepare })
      assert.deepEqual(told.calls, taken(told.turns))
      assert.equal(told.streamed, sum(told.turns) - sum(told.calls))
    })
  }

  test('over TLS: no call, or what is sent would be plain', async t => {
    assert.deepEqual((await echo(t, { tls: true })).calls, [])
  })

  // The last one: it is for the whole process.
  test('where the system answers what no socket does: all by the stream from then on', async t => {
    const told = await echo(t, { prepare: () => (instead = refuse('EINVAL')) })
    assert.deepEqual(told.calls, [0])
    assert.equal(told.streamed, sum(told.turns))
    instead = null
    const next = await echo(t)
    assert.deepEqual(next.calls, [])
    assert.equal(next.streamed, sum(next.turns))
  })
})
