import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { launch, type LaunchOptions, type Page } from 'puppeteer-core'
import { openPath } from '../../../../test/support/black-path.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, route } from '../support/gateway-world.ts'

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  '--disable-gpu',
]
const BROWSERS: readonly [name: string, options: LaunchOptions][] = [
  ['Chromium', { executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS }],
  ['Firefox', { browser: 'firefox', executablePath: '/usr/bin/firefox-esr' }],
]

/** What the page keeps for the test. */
interface Kept {
  socket: { readonly state: string; open(): void; send(message: object): boolean }
  closes: string[]
  heard: string[]
}

/** Connects by the gateway's own script, and waits until it is open. */
const connectPage = (page: Page, heartbeat: object): Promise<void> =>
  page.evaluate(async given => {
    const script = '/.sallyport/client.js'
    const { connect } = (await import(script)) as { connect: (url: string, options: object) => any }
    const socket = connect('/ws', { heartbeat: given, backoff: { min: 10, max: 200 } })
    const kept: Kept = { socket, closes: [], heard: [] }
    Object.assign(window, { kept })
    socket.when('close', ({ code, reason }: { code: number; reason: string }) => kept.closes.push(`${code} ${reason}`))
    socket.onMessage(({ message }: { message: string }) => kept.heard.push(message))
    await new Promise<void>(resolve => socket.when('open', () => resolve()))
  }, heartbeat)

const isLost = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => (window as unknown as { kept: Kept }).kept.closes.includes('1006 SALLY_HEARTBEAT_LOST'))

for (const [name, options] of BROWSERS)
  test(`${name}: a page notices that its path went black, and is back once it is clear`, async t => {
    const backend = await createBackend()
    const app = createServer((_request, response) =>
      response
        .writeHead(200, { 'Content-Type': 'text/html', 'Set-Cookie': 'sid=s1; Path=/; SameSite=Lax; HttpOnly' })
        .end('<title>app</title>'),
    ).listen(0, '127.0.0.1')
    await once(app, 'listening')
    const inner = createServer().listen(0, '127.0.0.1')
    await once(inner, 'listening')
    const { port } = inner.address() as AddressInfo
    inner.close()
    await once(inner, 'close')
    const path = await openPath(port)
    const origin = `http://app.localhost:${path.port}`
    const one = route({
      http: { path: '/', upstream: 'app', timeoutMs: 5000 },
      handshake: { origin: { allow: [origin], dangerouslyAllowInsecure: true }, host: {}, ticket: {} },
    })
    const listeners = [{ name: 'main', address: { host: '127.0.0.1', port }, tls: null, proxyProtocol: null }]
    const config = configOf([backend.target], [one], {}, { listeners })
    const targets = [`http://127.0.0.1:${(app.address() as AddressInfo).port}`]
    const world = await createWorld({
      ...config,
      upstreams: { ...config.upstreams, app: { ...config.upstreams['backend']!, targets } },
    })
    const profile = mkdtempSync(join(tmpdir(), 'sallyport-browser-'))
    const browser = await launch({ ...options, userDataDir: profile })
    t.after(async () => {
      await browser.close()
      rmSync(profile, { recursive: true, force: true })
      await world.close()
      await backend.close()
      await path.close()
      app.closeAllConnections()
      app.close()
    })
    const page = await browser.newPage()
    await page.goto(`${origin}/`)

    // Silence, with the times of a page scaled down.
    await connectPage(page, { after: 300, within: 500, awake: 200 })
    path.black = true
    await isLost(page)
    const sent = await page.evaluate(() =>
      (window as unknown as { kept: Kept }).kept.socket.send({ type: 'chat', message: 'lost' }),
    )
    assert.equal(sent, false)
    path.clear()
    await page.waitForFunction(() => (window as unknown as { kept: Kept }).kept.socket.state === 'open')
    await page.evaluate(() => (window as unknown as { kept: Kept }).kept.socket.send({ type: 'chat', message: 'back' }))
    await page.waitForFunction(() => (window as unknown as { kept: Kept }).kept.heard.includes('back'))
    assert.deepEqual(
      backend.received.map(({ data }) => data.toString()),
      ['{"type":"chat","message":"back"}'],
      'the gateway answers heartbeats itself',
    )

    // What a page is told when its network is back.
    for (const event of ['online', 'pageshow', 'visibilitychange', 'open()']) {
      await page.goto(`${origin}/`)
      await connectPage(page, { after: 3_600_000, within: 3_600_000, awake: 200 })
      path.black = true
      await page.evaluate(what => {
        if (what === 'open()') (window as unknown as { kept: Kept }).kept.socket.open()
        else (what === 'visibilitychange' ? document : window).dispatchEvent(new Event(what))
      }, event)
      await isLost(page)
      path.clear()
      await page.waitForFunction(() => (window as unknown as { kept: Kept }).kept.socket.state === 'open')
    }
  })
