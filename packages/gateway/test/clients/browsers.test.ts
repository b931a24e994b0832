import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { launch, type LaunchOptions } from 'puppeteer-core'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, route } from '../support/gateway-world.ts'
import { closing } from '../support/leftovers.ts'
import { freePort } from '../../../../test/support/free-port.ts'

async function serve(
  html: string,
  headers: Record<string, string> = {},
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((_request, response) =>
    response.writeHead(200, { 'Content-Type': 'text/html', ...headers }).end(html),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing(async () => {
    server.close()
    server.closeAllConnections()
    await Promise.resolve()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  '--disable-gpu',
]
const browsers: readonly [name: string, options: LaunchOptions][] = [
  ['Chromium', { executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS }],
  ['Firefox', { browser: 'firefox', executablePath: '/usr/bin/firefox-esr' }],
]
for (const [name, options] of browsers) {
  test(`${name}: the page, its tickets and its socket on one origin; a sibling’s page is refused`, () => visit(options))
}

async function visit(options: LaunchOptions): Promise<void> {
  const app = await serve('<title>app</title>', {
    'Set-Cookie': 'sid=s1; Path=/; SameSite=Lax; HttpOnly; Domain=app.localhost',
  })
  const evil = await serve('<title>evil</title>')
  const backend = await createBackend()
  const port = await freePort()
  const origin = `http://app.localhost:${port}`
  const one = route({
    http: { path: '/', upstream: 'app', timeoutMs: 5000 },
    handshake: { origin: { allow: [origin], dangerouslyAllowInsecure: true }, host: {}, ticket: {} },
  })
  const config = configOf(
    [backend.target],
    [one],
    {},
    {
      listeners: [{ name: 'main', address: { host: '127.0.0.1', port }, tls: null, proxyProtocol: null }],
    },
  )
  const upstreams = {
    ...config.upstreams,
    app: { ...config.upstreams['backend']!, targets: [`http://127.0.0.1:${app.port}`] },
  }
  const world = await createWorld({ ...config, upstreams })
  const profile = mkdtempSync(join(tmpdir(), 'sallyport-chromium-'))
  const browser = await launch({ ...options, userDataDir: profile })
  try {
    const page = await browser.newPage()
    await page.goto(`${origin}/`)
    assert.equal(await page.title(), 'app')
    const answer = await page.evaluate(async () => {
      const response = await fetch('/.sallyport/ticket?path=/ws', { method: 'POST' })
      const { ticket } = (await response.json()) as { ticket: string }
      const socket = new WebSocket(`ws://${location.host}/ws`, ['sallyport.v1', `sallyport.ticket.${ticket}`])
      return new Promise(resolve => {
        socket.onopen = () => socket.send('{"type":"chat","message":"é from a page"}')
        socket.onmessage = event => resolve([socket.protocol, event.data])
        socket.onclose = event => resolve(event.code)
      })
    })
    assert.deepEqual(answer, ['sallyport.v1', '{"type":"chat","message":"é from a page"}'])
    assert.equal(backend.requests[0]!.headers['x-sallyport-session'], 's1')

    await page.goto(`http://evil.app.localhost:${evil.port}/`)
    const hijack = await page.evaluate(
      url =>
        new Promise(resolve => {
          const socket = new WebSocket(url)
          socket.onopen = () => resolve('hijacked')
          socket.onclose = event => resolve(event.code)
        }),
      `ws://app.localhost:${port}/ws`,
    )
    assert.equal(hijack, 1006)
    assert.equal(backend.sockets.length, 1)
    assert.equal(
      world.events.some(({ code }) => code === 'SALLY_ORIGIN_NOT_ALLOWED'),
      true,
    )
  } finally {
    await browser.close()
    rmSync(profile, { recursive: true, force: true })
    await world.close()
  }
}

const PAGE = /^```html\n([^]*?)^```$/m.exec(
  readFileSync(join(import.meta.dirname, '../../../../docs/gateway/sessions.md'), 'utf8'),
)![1]!

test('Chromium: the page of docs/gateway imports the client from its own origin, and talks; under a strict policy for content', async () => {
  const app = await serve(PAGE.replace('<script', '<script nonce="n"'), {
    'Set-Cookie': 'sid=s1; Path=/; SameSite=Lax; HttpOnly',
    'Content-Security-Policy': "default-src 'none'; script-src 'self' 'nonce-n'; connect-src 'self'",
  })
  const backend = await createBackend()
  const port = await freePort()
  const origin = `http://app.localhost:${port}`
  const one = route({
    http: { path: '/', upstream: 'app', timeoutMs: 5000 },
    handshake: { origin: { allow: [origin], dangerouslyAllowInsecure: true }, host: {}, ticket: {} },
  })
  const listeners = [{ name: 'main', address: { host: '127.0.0.1', port }, tls: null, proxyProtocol: null }]
  const config = configOf([backend.target], [one], {}, { listeners })
  const targets = [`http://127.0.0.1:${app.port}`]
  const upstreams = { ...config.upstreams, app: { ...config.upstreams['backend']!, targets } }
  const world = await createWorld({ ...config, upstreams })
  // A page of another origin: neither by import, nor as a script of old.
  const evil = await serve(
    `<script type="module">import('${origin}/.sallyport/client.js').then(() => document.title = 'imported', () => document.title = 'refused')</script>`,
  )
  const old = await serve(
    `<script src="${origin}/.sallyport/client.js" onload="document.title='loaded'" onerror="document.title='refused'"></script>`,
  )
  const profile = mkdtempSync(join(tmpdir(), 'sallyport-chromium-'))
  const browser = await launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS, userDataDir: profile })
  try {
    const page = await browser.newPage()
    const faults: unknown[] = []
    page.on('pageerror', error => faults.push(error))
    await page.goto(`${origin}/`)
    await page.waitForFunction(() => document.title === 'hello')
    assert.deepEqual(faults, [])
    assert.deepEqual(
      backend.received.map(({ data }) => String(data)),
      ['{"type":"chat","message":"hello"}'],
    )
    assert.equal(backend.requests[0]!.headers['x-sallyport-session'], 's1')
    for (const { port: elsewhere } of [evil, old]) {
      await page.goto(`http://localhost:${elsewhere}/`)
      await page.waitForFunction(() => document.title !== '')
      assert.equal(await page.title(), 'refused')
    }
  } finally {
    await browser.close()
    rmSync(profile, { recursive: true, force: true })
    await world.close()
    await backend.close()
  }
})
