import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createGuard, type SallyEvent } from 'sallyport'
import { serve } from 'sallyport/server'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'

test('a peer that never begins its TLS handshake is cut and told of, and the server closes', async () => {
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
