import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { handshakeText } from '../support/raw-client.ts'
import { createWorld, type World } from '../support/world.ts'

/** A server whose peers have a tenth of a second instead of a minute, and whose answers are the test's own. */
async function start(
  t: TestContext,
  answer: (response: ServerResponse) => void,
  tls: boolean,
): Promise<{ readonly world: World; readonly server: Server; readonly sockets: Socket[] }> {
  const world = await createWorld(
    { handshake: { session: { dangerouslyAnonymous: true }, ticket: { dangerouslyWithoutTicket: true } } },
    { request: (_request, response) => answer(response), ...(tls && { tls: { key: KEY, cert: CERTIFICATE } }) },
  )
  t.after(() => world.close())
  const { server } = world.app
  assert.equal(server.timeout, 60_000)
  server.timeout = 100
  const sockets: Socket[] = []
  server.prependListener(tls ? 'secureConnection' : 'connection', (socket: Socket) => sockets.push(socket))
  return { world, server, sockets }
}

const PLAIN = 'GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n'

for (const tls of [false, true]) {
  const over = tls ? ' over TLS' : ''
  const dial = async ({ port }: World): Promise<Socket> => {
    const socket = tls
      ? connectTls({ port, host: 'localhost', rejectUnauthorized: false })
      : connect({ port, host: 'localhost' })
    socket.on('error', () => undefined)
    await once(socket, tls ? 'secureConnect' : 'connect')
    return socket
  }

  test(`a peer that asks and asks and reads no answer is cut${over}: it holds no connection for ever`, async t => {
    const { world, sockets } = await start(t, response => response.end('x'.repeat(1 << 20)), tls)
    const mallory = await dial(world)
    mallory.pause()
    mallory.write(PLAIN.repeat(200))
    while (sockets.length === 0) await new Promise(setImmediate)
    await once(sockets[0]!, 'close')
    mallory.destroy()
  })

  test(`who waits for an answer is not cut${over}, and gets it`, async t => {
    const { world, server } = await start(
      t,
      response => void once(server, 'timeout').then(() => response.end('late')),
      tls,
    )
    const patient = await dial(world)
    patient.write(PLAIN)
    let text = ''
    while (!text.endsWith('late')) text += String((await once(patient, 'data'))[0])
    assert.match(text, /^HTTP\/1\.1 200 /)
    patient.destroy()
  })

  test(`a connection that is kept alive ends at its time${over}`, async t => {
    const { world, server, sockets } = await start(t, response => response.end('x'), tls)
    server.keepAliveTimeout = 10
    const idle = await dial(world)
    idle.resume().write(PLAIN)
    while (sockets.length === 0) await new Promise(setImmediate)
    await once(sockets[0]!, 'close')
    idle.destroy()
  })

  test(`what is upgraded by Node's parser has bounds of its own${over}`, async t => {
    const { world, sockets } = await start(t, response => response.end('x'), tls)
    const client = await dial(world)
    client.write(PLAIN)
    await once(client, 'data')
    const { port } = world
    client.write(handshakeText({ port }))
    assert.match(String((await once(client, 'data'))[0]), /^HTTP\/1\.1 101 /)
    assert.equal(sockets[0]!.timeout, 0)
    client.destroy()
  })
}
