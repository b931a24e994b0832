import { DEBIAN_COOKIES, isChromiumInstalled, startChromium, UPSTREAM_COOKIES } from '../../test/browsers/chromium.ts'
import type { BrowserKind } from './browser.ts'
import { puppeteerProfile } from './puppeteer-profile.ts'

function kind(id: 'chromium' | 'chromium-debian', title: string, preferences: object): BrowserKind {
  return {
    id,
    title,
    installed: isChromiumInstalled,
    async start() {
      const { browser, end } = await startChromium(preferences)
      return {
        id,
        firstAddress: '::1',
        version: (await browser.version()).replace(/^\w+\//, 'Chromium '),
        profile: () => puppeteerProfile(browser),
        end,
      }
    },
  }
}

export const chromium: BrowserKind = kind('chromium', 'Chromium', UPSTREAM_COOKIES)
export const chromiumDebian: BrowserKind = kind('chromium-debian', 'Chromium (Debian)', DEBIAN_COOKIES)
