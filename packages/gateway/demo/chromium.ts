import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch } from 'puppeteer-core'
import type { Browser } from 'puppeteer-core'

/** A real Chromium in a fresh profile. `end` closes it and its whole process group. */
export interface TestBrowser {
  readonly browser: Browser
  end(): Promise<void>
}

/** Starts Chromium with upstream's cookie setting: Debian's build blocks third-party cookies by default. */
export async function startBrowser(): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'sallyport-demo-chromium-'))
  mkdirSync(join(profile, 'Default'))
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify({ profile: { cookie_controls_mode: 2 } }))
  const browser = await launch({
    executablePath: '/usr/bin/chromium',
    userDataDir: profile,
    acceptInsecureCerts: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const group = browser.process()?.pid
  return {
    browser,
    async end() {
      await browser.close().catch(() => {})
      try {
        // Puppeteer starts the browser as the leader of a process group of its own.
        if (group !== undefined) process.kill(-group, 'SIGKILL')
      } catch {
        // The group is gone already, which is what was wanted.
      }
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
