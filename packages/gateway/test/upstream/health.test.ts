import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemRuntime } from 'sallyport/internal'
import { probe, watchHealth } from '../../src/upstream/health.ts'
import { type Address, Backend, parseAddress } from '../../src/upstream/backend.ts'
import { createRawBackend } from '../support/backends.ts'

const HEALTH = { path: '/health', intervalMs: 1000, timeoutMs: 10_000 }

async function found(address: Address): Promise<{ readonly reason: string | null; readonly own: boolean }> {
  const { reason, own } = await probe(address, HEALTH, null, systemRuntime)
  return { reason, own }
}

describe('what a look at a backend finds', () => {
  const rows: readonly [name: string, answer: readonly string[] | null, reason: string | null][] = [
    ['200', ['HTTP/1.1 200 OK\r\n\r\n'], null],
    ['HTTP/1.0', ['HTTP/1.0 204 No Content\r\n\r\n'], null],
    ['an answer in parts', ['HT', 'TP/1.1 2', '00 OK\r\n'], null],
    ['404', ['HTTP/1.1 404 Not Found\r\n\r\n'], 'it answers 404'],
    ['101', ['HTTP/1.1 101 Switching Protocols\r\n\r\n'], 'it answers 101'],
    [
      'another protocol, in parts',
      ['SSH-2.0-', 'OpenSSH_9.2 ', 'Debian-2+deb12u3\r\n'],
      'it does not answer in HTTP/1.1',
    ],
    ['another protocol', [`SSH-2.0-OpenSSH_9.2 ${'x'.repeat(40)}\r\n`], 'it does not answer in HTTP/1.1'],
    ['an end before an answer', null, 'the connection closed before an answer'],
  ]
  for (const [name, answer, reason] of rows) {
    test(`${name}: ${reason ?? 'it is well'}`, async () => {
      const asked = Promise.withResolvers<string>()
      const backend = await createRawBackend(socket => {
        socket.setNoDelay(true)
        socket.once('data', (chunk: Buffer) => {
          asked.resolve(chunk.toString('latin1'))
          void (async () => {
            for (const part of answer ?? []) {
              socket.write(part)
              // Two turns: the next part is written when this one has been read.
              for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve))
            }
            if (answer === null) socket.end()
          })()
        })
      })
      const address = parseAddress(backend.target)
      assert.deepEqual(await found(address), { reason, own: false })
      assert.equal(await asked.promise, `GET /health HTTP/1.1\r\nHost: ${address.host}\r\nConnection: close\r\n\r\n`)
      await backend.close()
    })
  }

  test('no answer in time', async () => {
    const backend = await createRawBackend(() => undefined)
    const { reason, own } = await probe(parseAddress(backend.target), { ...HEALTH, timeoutMs: 20 }, null, systemRuntime)
    assert.deepEqual({ reason, own }, { reason: 'no answer within 20 ms', own: false })
    await backend.close()
  })

  test('a look that fails within the gateway changes nothing: a gateway without descriptors has no dead backends', async () => {
    // Every system refuses to open TCP to the broadcast address.
    const target = new Backend(parseAddress('ws://255.255.255.255:1'))
    assert.equal((await probe(target.address, HEALTH, null, systemRuntime)).own, true)
    const told: string[] = []
    const tell = (_facts: object, message: string): void => void told.push(message)
    const watch = watchHealth(
      'app',
      [target],
      { ...HEALTH, intervalMs: 5 },
      null,
      { info: tell, warn: tell },
      systemRuntime,
    )
    await new Promise(resolve => setTimeout(resolve, 50))
    watch.stop()
    assert.deepEqual([target.answers, told], [true, []])
  })
})
