import type { Browser } from 'puppeteer-core'
import { type Profile, STEP_MS } from './browser.ts'

/** A context of its own: cookies and storage of one are not seen by the others. */
export async function puppeteerProfile(browser: Browser): Promise<Profile> {
  const context = await browser.createBrowserContext()
  return {
    async open(url) {
      const page = await context.newPage()
      page.setDefaultTimeout(STEP_MS)
      await page.goto(url, { waitUntil: 'domcontentloaded' })
      return { click: selector => page.click(selector) }
    },
    close: () => context.close(),
  }
}
