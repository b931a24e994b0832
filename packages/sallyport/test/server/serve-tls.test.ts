import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { createGuard, type Guard, type SallyEvent } from 'sallyport'
import { type App, serve } from 'sallyport/server'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { frame, HANDSHAKE, open } from './engine-server.ts'

const POLICY = {
  handshake: {
    origin: { dangerouslyAllowAnyOrigin: true },
    session: { dangerouslyAnonymous: true },
    host: { allow: ['app.test'] },
  },
  message: { schema: { dangerouslyAcceptAnyMessage: true } },
} as const

/** Longer than a test may last: whoever waits for it is found out. */
const HOUR_MS = 3_600_000

async function start(): Promise<{ app: App; guard: Guard }> {
  const guard = createGuard(POLICY) as unknown as Guard
  const tls = { key: KEY, cert: CERTIFICATE, handshakeTimeout: HOUR_MS }
  return { guard, app: await serve({ port: 0, host: '127.0.0.1', tls, guard, message: () => {} }) }
}

/** The record of a ClientHello of 512 bytes begins so. */
const HALF_HELLO = Buffer.from('1603010200010001fc0303', 'hex')

for (const [name, sent] of [
  ['says nothing', null],
  ['stops in the middle of its ClientHello', HALF_HELLO],
] as const) {
  test(`a peer that ${name} does not delay the close of a server`, { timeout: 10_000 }, async () => {
    const { app } = await start()
    const silent = connect(app.port, '127.0.0.1').resume()
    silent.on('error', () => undefined)
    await once(app.server, 'connection')
    if (sent !== null) await new Promise(resolve => silent.write(sent, resolve))
    const gone = new Promise(resolve => silent.on('close', resolve))
    await app.close()
    await gone
  })
}

test('it is there for as long as the server drains, and who is secure is told that it goes', {
  timeout: 10_000,
}, async () => {
  const { app, guard } = await start()
  const client = await open(
    { dial: () => connectTls({ port: app.port, host: '127.0.0.1', rejectUnauthorized: false }) },
    HANDSHAKE,
  )
  const silent = connect(app.port, '127.0.0.1').resume()
  silent.on('error', () => undefined)
  await once(app.server, 'connection')
  const closed = app.close({ withinMs: 0 })
  assert.deepEqual(await client.hears(1), ['close 1012 SALLY_SHUTDOWN'])
  assert.deepEqual([guard.counters().open, silent.closed], [1, false])
  client.send(frame(0x88, Buffer.from([0x03, 0xf4])))
  await closed
  await once(silent, 'close')
})

test('a peer that never begins its TLS handshake is cut and reported, and the server closes', async () => {
  const guard = createGuard({
    handshake: { origin: { allow: ['https://app.localhost'] }, session: () => null },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
  })
  const events: SallyEvent[] = []
  guard.on(event => events.push(event))
  const tls = { key: KEY, cert: CERTIFICATE, handshakeTimeout: 50 }
  const app = await serve({ port: 0, host: '127.0.0.1', tls, guard, message: () => {} })
  const silent = connect(app.port, '127.0.0.1').resume()
  await once(silent, 'close')
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'denial').map(({ code, detail }) => [code, detail]),
    [['SALLY_REQUEST_MALFORMED', 'no TLS handshake: ERR_TLS_HANDSHAKE_TIMEOUT']],
  )
  await app.close({ withinMs: 0 })
})
