import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch } from 'puppeteer-core'
import type { BrowserKind } from './browser.ts'
import { endGroup, keepGroup, removeFolder, temporaryFolder } from './process-group.ts'
import { puppeteerProfile } from './puppeteer-profile.ts'

const PATH = '/usr/bin/chromium'

/** Everything but loopback is an unknown name: no stray look-up leaves the machine. */
const ONLY_LOOPBACK = 'MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1'

function kind(id: 'chromium' | 'chromium-debian', title: string, preferences: object): BrowserKind {
  return {
    id,
    title,
    installed: () => existsSync(PATH),
    async start() {
      const profile = temporaryFolder()
      mkdirSync(join(profile, 'Default'))
      writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
      const browser = await launch({
        executablePath: PATH,
        userDataDir: profile,
        acceptInsecureCerts: true,
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
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
      const group = keepGroup(browser.process()?.pid)
      return {
        id,
        firstAddress: '::1',
        version: (await browser.version()).replace(/^\w+\//, 'Chromium '),
        profile: () => puppeteerProfile(browser),
        async end() {
          await browser.close().catch(() => {})
          endGroup(group)
          removeFolder(profile)
        },
      }
    },
  }
}

/** Upstream's cookie setting, as Chrome and Edge have it: third-party cookies are sent where SameSite=None asks for it. */
export const chromium: BrowserKind = kind('chromium', 'Chromium', { profile: { cookie_controls_mode: 2 } })

/** As Debian patches it: third-party cookies are blocked. */
export const chromiumDebian: BrowserKind = kind('chromium-debian', 'Chromium (Debian)', {})
