import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, launch } from 'puppeteer-core'
import { answered, COMMAND_MS, closed, START_MS } from './patience.ts'
import { endGroup, keepGroup, removeFolder, temporaryFolder } from './process-group.ts'

/** A real Chromium in a fresh profile. */
export interface Chromium {
  readonly browser: Browser
  /** Ends it, its whole process group and its profile. */
  end(): Promise<void>
}

const PATH = '/usr/bin/chromium'

/** Everything but loopback is an unknown name: no stray look-up leaves the machine. */
const ONLY_LOOPBACK = 'MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1'

/** Upstream's cookie setting, as Chrome and Edge have it: third-party cookies are sent where SameSite=None asks for it. */
export const UPSTREAM_COOKIES: object = { profile: { cookie_controls_mode: 2 } }
/** As Debian patches it: third-party cookies are blocked. */
export const DEBIAN_COOKIES: object = {}

export function isChromiumInstalled(): boolean {
  return existsSync(PATH)
}

/** How to start it, where that is not as usual. */
export interface ChromiumStart {
  readonly path?: string
  /** Longest wait for one start, in ms. */
  readonly withinMs?: number
}

/**
 * Starts it, headless, with the preferences of a profile. It ends with this process at the latest. A browser that does
 * not answer in time, or that ends at once, is killed and started once more, in another profile.
 */
export async function startChromium(
  preferences: object = UPSTREAM_COOKIES,
  start: ChromiumStart = {},
): Promise<Chromium> {
  return startOnce(preferences, start).catch(() => startOnce(preferences, start))
}

async function startOnce(preferences: object, { path = PATH, withinMs = START_MS }: ChromiumStart): Promise<Chromium> {
  const profile = temporaryFolder()
  mkdirSync(join(profile, 'Default'))
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  const late = new AbortController()
  const launching = launch({
    executablePath: path,
    userDataDir: profile,
    acceptInsecureCerts: true,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    protocolTimeout: COMMAND_MS,
    signal: late.signal,
    // It ends by itself when this process is gone, even by SIGKILL.
    pipe: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=${ONLY_LOOPBACK}`,
    ],
  })
  const browser = await answered(launching, withinMs, late)
  const group = keepGroup(browser.process()?.pid)
  return {
    browser,
    async end() {
      await closed(browser)
      endGroup(group)
      removeFolder(profile)
    },
  }
}
