import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import { startChromium } from '../../../test/browsers/chromium.ts'
import { closedContext } from '../../../test/browsers/patience.ts'
import { start, type Started } from './started.ts'

/** One thing that the demo shows. */
export interface Scene {
  readonly title: string
  /** What was seen. */
  readonly seen: string
  /** Whether that is what the demo claims. */
  readonly asClaimed: boolean
}

const HERE = import.meta.dirname
const BACKEND = join(HERE, 'backend.py')
const GATEWAY = join(HERE, '../src/cli/main.ts')
/** The one that Debian's python3-websockets is installed for. */
const PYTHON = '/usr/bin/python3'

/** Plays the whole story in real Chromium. `tell` hears each scene as it ends. */
export async function play(tell: (scene: Scene) => void): Promise<readonly Scene[]> {
  const scenes: Scene[] = []
  const show = (title: string, seen: string, asClaimed: boolean): void => {
    scenes.push({ title, seen, asClaimed })
    tell(scenes.at(-1)!)
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
  const before = digest()
  const evil = await serveEvil()
  const chromium = await startChromium()
  const running: Started[] = []
  try {
    const bare = await startBackend(running)
    await act('the backend alone', chromium.browser, bare, evil.port, folder, show, true)
    const fresh = await startBackend(running)
    const guarded = await startGateway(running, fresh)
    await act('behind the gateway', chromium.browser, guarded, evil.port, folder, show, false)
    const controls = new Set(
      gatewayLog(running).flatMap(({ kind, control, code }) => (kind === 'denial' ? [`${control} (${code})`] : [])),
    )
    const names = [...controls].join(', ')
    show(
      "the gateway's log names who decided",
      names,
      names.includes('handshake/origin') && names.includes('message/schema'),
    )
    show(
      'the backend is the same, byte for byte',
      `sha256 ${before.slice(0, 16)}… before, ${digest().slice(0, 16)}… after`,
      before === digest(),
    )
  } finally {
    await chromium.end()
    await Promise.all(running.map(one => one.end()))
    evil.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return scenes
}

type Show = (title: string, seen: string, asClaimed: boolean) => void

/** The same things, on the bare backend and behind the gateway. `falls`: whether the attacks are expected to succeed. */
async function act(
  where: string,
  browser: Browser,
  port: number,
  evilPort: number,
  folder: string,
  show: Show,
  falls: boolean,
): Promise<void> {
  const context = await browser.createBrowserContext()
  try {
    const page = await context.newPage()
    await page.goto(`http://app.localhost:${port}/login?user=alice`)
    await page.waitForFunction('window.ready === true')

    const chat = await say(page, { action: 'chat', text: 'hello' })
    show(`${where}: the honest page chats`, chat, chat.includes('"text":"hello"'))
    const converted = await say(page, { action: 'convert', filename: 'photo.png' })
    const user = await say(page, { action: 'user', userId: '2' })
    show(
      `${where}: an honest conversion and look-up`,
      `${converted} ${user}`,
      converted.includes('converting photo.png') && user.includes('"bob"'),
    )

    const planted = join(folder, `planted-${port}`)
    const shell = await say(page, { action: 'convert', filename: `x; echo owned > ${planted}` })
    const ran = existsSync(planted)
    show(`${where}: shell injection`, ran ? 'the command ran on the server' : `refused: ${shell}`, ran === falls)

    const sql = await say(page, { action: 'user', userId: '1 OR 1=1' })
    const leaked = sql.includes('carol@app.example')
    show(`${where}: SQL injection`, leaked ? `the whole table: ${sql}` : `refused: ${sql}`, leaked === falls)

    // The sibling is the same site (SameSite never stops it); the other is a stranger.
    for (const name of ['evil.app.localhost', 'evil.localhost']) {
      const attacker = await context.newPage()
      await attacker.goto(`http://${name}:${evilPort}/`)
      await attacker.waitForFunction('window.ready === true')
      const loot = (await attacker.evaluate(`window.attack('ws://app.localhost:${port}/ws')`)) as readonly string[]
      const hijacked = loot.some(text => text.includes('4711'))
      show(
        `${where}: a page at ${name} acts as the victim`,
        hijacked ? `read and deleted: ${loot.join(' ')}` : 'refused: nothing sent, nothing read',
        hijacked === falls,
      )
      await attacker.close()
    }

    const after = await say(page, { action: 'user', userId: '1' })
    const deleted = !after.includes('alice')
    show(
      `${where}: the victim's account afterwards`,
      deleted ? `gone: ${after}` : `untouched: ${after}`,
      deleted === falls,
    )
  } finally {
    await closedContext(context)
  }
}

/** What the page hears in answer. */
async function say(page: Page, message: object): Promise<string> {
  return JSON.stringify(await page.evaluate(`window.say(${JSON.stringify(message)})`))
}

async function startBackend(running: Started[]): Promise<number> {
  const backend = await start(PYTHON, [BACKEND, '0'], {}, line => line.startsWith('{'))
  running.push(backend)
  return (JSON.parse(backend.lines.at(-1)!) as { port: number }).port
}

async function startGateway(running: Started[], backend: number): Promise<number> {
  const port = await freePort()
  const gateway = await start(
    process.execPath,
    ['--conditions=sallyport-source', GATEWAY, 'run', '--config', join(HERE, 'gateway.yaml')],
    { DEMO_PORT: String(port), DEMO_BACKEND: String(backend) },
    line => line.includes('"kind":"startup"'),
  )
  running.push(gateway)
  return port
}

/** What the gateway, which was started last, has logged. */
function gatewayLog(
  running: readonly Started[],
): readonly { readonly kind?: string; readonly control?: string; readonly code?: string }[] {
  return running
    .at(-1)!
    .lines.filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as object)
}

const digest = (): string => createHash('sha256').update(readFileSync(BACKEND)).digest('hex')

async function serveEvil(): Promise<{ readonly port: number; close(): void }> {
  const page = readFileSync(join(HERE, 'evil.html'))
  const server = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(page))
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A port that was free a moment ago: the allowed origin in the configuration must name it. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => {
    server.close(resolve)
  })
  return port
}
