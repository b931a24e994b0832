import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createGuard } from 'sallyport'
import { guardSocketIo } from 'sallyport/adapters/socket-io'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'
import { listenTo } from '../support/told-events.ts'

for (const { row, flood, ended } of [
  { row: 'many bytes', flood: Array<string>(6).fill('x'.repeat(60_000)), ended: true },
  { row: 'many events', flood: Array<string>(16_384).fill(''), ended: true },
  { row: 'as many bytes as may wait', flood: Array<string>(5).fill('x'.repeat(60_000)), ended: false },
]) {
  test(`attack: ${row} while one event is judged: ${ended ? 'the connection ends, and nobody is asked for them' : 'they wait'}`, async t => {
    const http = createServer().listen(0, 'localhost')
    await once(http, 'listening')
    const origin = `http://localhost:${(http.address() as AddressInfo).port}`
    const answer = Promise.withResolvers<boolean>()
    let asked = 0
    const guard = createGuard({
      handshake: {
        origin: { allow: [origin] },
        session: { dangerouslyAnonymous: true },
        ticket: { dangerouslyWithoutTicket: true },
      },
      message: {
        schema: { dangerouslyAcceptAnyMessage: true },
        rate: { dangerouslyOff: true },
        authorize: () => {
          asked++
          return answer.promise
        },
      },
    } as unknown as Parameters<typeof createGuard>[0])
    const { events } = listenTo(guard)
    const io = new Server(http, { maxHttpBufferSize: 65_536 })
    guardSocketIo(io, guard)
    const client = connect(origin, { transports: ['websocket'], reconnection: false, extraHeaders: { Origin: origin } })
    t.after(() => {
      client.disconnect()
      return io.close()
    })
    let handled = 0
    io.on('connection', socket => void socket.on('say', () => handled++))
    await new Promise<void>(resolve => client.once('connect', resolve))
    const left = new Promise<void>(resolve => client.once('disconnect', () => resolve()))
    client.emit('say', { text: 'first' })
    for (const text of flood) client.emit('say', { text })
    if (ended) await left
    else while (guard.counters().messagesIn < flood.length + 1) await new Promise(setImmediate)
    answer.resolve(true)
    if (!ended) while (handled < flood.length + 1) await new Promise(setImmediate)
    await new Promise(setImmediate)
    assert.deepEqual([asked, handled], ended ? [1, 0] : [flood.length + 1, flood.length + 1])
    assert.equal(
      events.some(event => (event as { code?: unknown }).code === 'SALLY_MESSAGE_CONCURRENCY'),
      ended,
    )
  })
}
