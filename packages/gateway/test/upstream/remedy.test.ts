import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { remedyOf } from '../../src/upstream/remedy.ts'
import { createRawBackend } from '../support/backends.ts'
import { configOf, createWorld, route } from '../support/gateway-world.ts'

async function remedyFor(target: string): Promise<unknown> {
  const world = await createWorld(configOf([target], [route()], { connectTimeoutMs: 1000 }))
  await world.refusal()
  let told: { readonly facts: { readonly [name: string]: unknown } } | undefined
  while (told === undefined) {
    told = world.logged.find(({ message }) => message.includes('the last backend fails'))
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  await world.close()
  return told.facts['remedy']
}

describe('the log says what to do about a target that fails', () => {
  test('nobody listens', async () => {
    const gone = await createRawBackend(() => undefined)
    await gone.close()
    assert.match(String(await remedyFor(gone.target)), /start the target/)
  })

  test('a certificate that nobody known has signed', async () => {
    const server = createServer({ cert: CERTIFICATE, key: KEY })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    assert.match(String(await remedyFor(`wss://localhost:${(server.address() as AddressInfo).port}`)), /tls\.ca/)
    server.close()
    server.closeAllConnections()
  })

  test('a target that speaks no TLS', async () => {
    const plain = await createRawBackend(socket => socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')))
    assert.match(String(await remedyFor(plain.target.replace('ws:', 'wss:'))), /write ws:/)
    await plain.close()
  })

  for (const [detail, remedy] of [
    ['probe: CERT_HAS_EXPIRED', /renew/],
    ['ERR_TLS_CERT_ALTNAME_INVALID at wss://10.0.0.3', /serverName/],
    ['ENOTFOUND at ws://no.such.name', /correct the name/],
  ] as const)
    test(detail, () => assert.match(remedyOf(detail)!, remedy))
  for (const detail of ['no answer within 5000 ms', 'probe: TOSTRING', 'ETIMEDOUT at ws://10.0.0.3', ''])
    test(`none is known: ${detail}`, () => assert.equal(remedyOf(detail), null))
})
