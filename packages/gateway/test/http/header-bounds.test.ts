import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { answering, createRawBackend } from '../support/backends.ts'
import { configOf, createWorld, ORIGIN, route } from '../support/gateway-world.ts'
import { handshake } from '../support/handshake.ts'

/** The request with one more line, so that its header lines have so many bytes together. */
function padded(request: string, bytes: number): string {
  const head = request.indexOf('\r\n') + 2
  const size = request.length - head - 2
  return request.replace(/\r\n$/, `X-Pad: ${'a'.repeat(bytes - size - 'X-Pad: \r\n'.length)}\r\n\r\n`)
}

async function statusOf(port: number, request: string): Promise<number> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  socket.write(request)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer.toString('latin1'))?.[1])
}

const TICKET = `POST /.sallyport/ticket?path=/ws HTTP/1.1\r\nHost: app.localhost\r\nOrigin: ${ORIGIN}\r\nCookie: sid=s1\r\nContent-Length: 0\r\n\r\n`

describe('headers are bounded alike for a ticket of the gateway and its handshake', () => {
  for (const [bytes, passes] of [
    [9 * 1024, true],
    [16 * 1024, true],
    [16 * 1024 + 1, false],
    [40 * 1024, false],
    [80 * 1024, false],
  ] as const) {
    test(`${bytes} bytes: ${passes ? 'pass' : '431'}`, async () => {
      // Node's own server would refuse more than 16 KiB with what the gateway adds.
      const backend = await createRawBackend(answering(() => undefined))
      const secret = { ticket: { secret: 'q8Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X' } }
      const open = await createWorld(configOf([backend.target], [route()]))
      const ticketed = await createWorld(configOf([backend.target], [route({ handshake: secret })]))
      assert.equal(await statusOf(open.port, padded(handshake(), bytes)), passes ? 101 : 431)
      assert.equal(await statusOf(ticketed.port, padded(TICKET, bytes)), passes ? 200 : 431)
      await Promise.all([open.close(), ticketed.close()])
      await backend.close()
    })
  }
})
