import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { hostName } from '../../src/route/route-table.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, ORIGIN, route } from '../support/gateway-world.ts'
import { createApp, http } from '../support/plain-app.ts'

const NO_ROUTE = '{"code":"GATEWAY_NO_ROUTE"}'

for (const [header, name] of [
  [undefined, ''],
  ['App.Example', 'app.example'],
  ['app.example:443', 'app.example'],
  ['[::1]', '[::1]'],
  ['[::1]:8443', '[::1]'],
  ['app.example:@evil.example', 'app.example:@evil.example'],
  ['app.example:443@evil.example', 'app.example:443@evil.example'],
] as const) {
  test(`the name in ${String(header)} is ${name || 'none'}`, () => assert.equal(hostName(header), name))
}

test('attack: a route without hosts serves no path of a host that another route names, whose policy is not its own', async t => {
  const [backend, app] = [await createBackend(), await createApp((_incoming, response) => response.end())]
  // The one names its host; what it does not serve of it, the other must not.
  const strict = route({ id: 'strict', hosts: ['app.localhost'], clientPath: '/strict.js' })
  const lax = route({ id: 'lax', path: '/*', http: { ...http, upstream: 'pages' } })
  const world = await createWorld({
    ...configOf([backend.target], [{ ...strict, ticketPath: '/strict' }, lax]),
    upstreams: {
      ...configOf([backend.target]).upstreams,
      pages: configOf([app.target]).upstreams['backend']!,
    },
  })
  t.after(async () => {
    await world.close()
    await backend.close()
    await app.close()
  })
  const answerOf = async (host: string, path: string, method: string): Promise<string> => {
    const headers = { Host: host, Origin: ORIGIN, Cookie: 'sid=s1' }
    const asked = request({ host: '127.0.0.1', port: world.port, path, method, headers, agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    let body = ''
    for await (const chunk of response) body += String(chunk)
    return body
  }
  for (const [method, path] of [
    ['GET', '/page'],
    ['GET', '/WS'],
    ['GET', '/.sallyport/client.js'],
    ['POST', '/.sallyport/ticket?path=/WS'],
  ] as const) {
    assert.notEqual(await answerOf('127.0.0.1', path, method), NO_ROUTE, `${method} ${path}`)
    assert.equal(await answerOf('app.localhost', path, method), NO_ROUTE, `${method} ${path} of the host that is named`)
  }
  for (const path of ['/WS', '/ws/', '/other']) {
    await world.connect({ path })
    assert.deepEqual(await world.refusal({ path, headers: { Host: 'app.localhost' } }), [404, NO_ROUTE])
  }
  await world.connect({ headers: { Host: 'app.localhost' } })
})
