import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Builder, By, Capabilities, type WebDriver } from 'selenium-webdriver'
import { type BrowserKind, type LabBrowser, type Profile, STEP_MS, type Tab } from './browser.ts'
import { endGroup, keepGroup, removeFolder, temporaryFolder } from '../../test/browsers/process-group.ts'

const DRIVER = '/usr/bin/WebKitWebDriver'
const XVFB = '/usr/bin/Xvfb'
const miniBrowser = (): string | undefined => globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser')[0]

/** A process that leads a group of its own. Rejects where it cannot be started. */
async function lead(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(command, args, { detached: true, env, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  await once(child, 'spawn')
  keepGroup(child.pid)
  return child
}

/** The number of the display, once it is there. */
async function displayOf(xvfb: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of xvfb.stdio[3] as AsyncIterable<Buffer>) {
    text += chunk.toString()
    if (text.endsWith('\n')) return text.trim()
  }
  throw new Error('Xvfb ended before its display was there')
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

/** The driver says nothing when it is ready: one asks until it answers. */
async function listening(port: number): Promise<void> {
  const latest = Date.now() + STEP_MS
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const answered = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(
        () => false,
        () => false,
      ),
    ]).catch(() => false)
    socket.destroy()
    if (answered) return
    if (Date.now() > latest) throw new Error('WebKitWebDriver does not answer')
    await delay(50)
  }
}

function profileOf(driver: WebDriver): Profile {
  let tabs = 0
  const tabOf = (handle: string): Tab => ({
    async click(selector) {
      await driver.switchTo().window(handle)
      await driver.findElement(By.css(selector)).click()
    },
    clickThrough: () => Promise.reject(new Error('under automation WebKitGTK opens no window for window.open')),
  })
  return {
    async open(url) {
      if (tabs++ > 0) await driver.switchTo().newWindow('tab')
      await driver.get(url)
      return tabOf(await driver.getWindowHandle())
    },
    close: () => driver.quit(),
  }
}

function kind(id: 'webkit' | 'webkit-itp', title: string, args: readonly string[]): BrowserKind {
  return {
    id,
    title,
    installed: () => existsSync(DRIVER) && existsSync(XVFB) && miniBrowser() !== undefined,
    async start(): Promise<LabBrowser> {
      const home = temporaryFolder()
      const groups: number[] = []
      const end = (): Promise<void> => {
        for (const leader of groups.toReversed()) endGroup(leader)
        removeFolder(home)
        return Promise.resolve()
      }
      try {
        const xvfb = await lead(
          XVFB,
          ['-displayfd', '3', '-nolisten', 'tcp', '-screen', '0', '1024x768x24'],
          process.env,
        )
        groups.push(xvfb.pid!)
        const env = {
          PATH: process.env['PATH'],
          DISPLAY: `:${await displayOf(xvfb)}`,
          HOME: home,
          XDG_RUNTIME_DIR: home,
          NO_AT_BRIDGE: '1',
          DBUS_SESSION_BUS_ADDRESS: 'disabled:',
          LIBGL_ALWAYS_SOFTWARE: '1',
          WEBKIT_DISABLE_COMPOSITING_MODE: '1',
        }
        const port = await freePort()
        const webdriver = await lead(DRIVER, [`--port=${port}`, '--host=127.0.0.1'], env)
        groups.push(webdriver.pid!)
        await listening(port)
        const capabilities = new Capabilities({
          browserName: 'MiniBrowser',
          acceptInsecureCerts: true,
          pageLoadStrategy: 'eager',
          'webkitgtk:browserOptions': { binary: miniBrowser(), args: ['--automation', ...args] },
        })
        const session = async (): Promise<WebDriver> =>
          await new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(capabilities).build()
        const first = await session()
        const version = (await first.getCapabilities()).getBrowserVersion() ?? ''
        await first.quit()
        return {
          id,
          version: `WebKitGTK ${version}`,
          firstAddress: '::1',
          profile: async () => profileOf(await session()),
          end,
        }
      } catch (error) {
        await end()
        throw error
      }
    },
  }
}

/** As WebKitGTK ships it. */
export const webkit: BrowserKind = kind('webkit', 'WebKitGTK', [])

/** With Intelligent Tracking Prevention, as Safari has it. */
export const webkitItp: BrowserKind = kind('webkit-itp', 'WebKitGTK (ITP)', ['--enable-itp'])
