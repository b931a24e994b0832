import { existsSync } from 'node:fs'
import { launch } from 'puppeteer-core'
import type { BrowserKind } from './browser.ts'
import { answered, COMMAND_MS, closed, START_MS } from '../../test/browsers/patience.ts'
import { endGroup, keepGroup, removeFolder, temporaryFolder } from '../../test/browsers/process-group.ts'
import { puppeteerProfile } from './puppeteer-profile.ts'

const PATH = '/usr/bin/firefox-esr'

/** Everything but loopback goes to a proxy that is not there: no stray look-up leaves the machine. */
const ONLY_LOOPBACK = {
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': '.localhost, localhost, 127.0.0.1, [::1]',
  'network.proxy.failover_direct': false,
  // Firefox's own requests would go around a proxy that does not answer.
  'network.proxy.allow_bypass': false,
  'services.settings.server': 'data:,#none/v1',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.trr.mode': 5,
}

function kind(id: 'firefox' | 'firefox-open', title: string, cookieBehavior: number): BrowserKind {
  return {
    id,
    title,
    installed: () => existsSync(PATH),
    async start() {
      const profile = temporaryFolder()
      const late = new AbortController()
      const launching = launch({
        browser: 'firefox',
        executablePath: PATH,
        userDataDir: profile,
        headless: true,
        acceptInsecureCerts: true,
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
        protocolTimeout: COMMAND_MS,
        signal: late.signal,
        extraPrefsFirefox: {
          ...ONLY_LOOPBACK,
          // Puppeteer turns cookie protection off; here it is what is measured.
          'browser.contentblocking.category': 'custom',
          'network.cookie.cookieBehavior': cookieBehavior,
          'network.cookie.cookieBehavior.pbmode': cookieBehavior,
        },
      })
      const browser = await answered(launching, START_MS, late)
      const group = keepGroup(browser.process()?.pid)
      return {
        id,
        firstAddress: '127.0.0.1',
        version: (await browser.version()).replace(/^\w+\//, 'Firefox '),
        profile: () => puppeteerProfile(browser),
        async end() {
          await closed(browser)
          endGroup(group)
          removeFolder(profile)
        },
      }
    },
  }
}

/** As it ships: Total Cookie Protection keeps a jar for every site that one looks at. */
export const firefox: BrowserKind = kind('firefox', 'Firefox', 5)

/** With Total Cookie Protection off, as users set it who want third-party cookies. */
export const firefoxOpen: BrowserKind = kind('firefox-open', 'Firefox (TCP off)', 0)
