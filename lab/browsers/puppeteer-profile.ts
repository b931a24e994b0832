import type { Browser, Page } from 'puppeteer-core'
import { closedContext } from '../../test/browsers/patience.ts'
import { type Profile, STEP_MS, type Tab } from './browser.ts'

/** A context of its own: cookies and storage of one are not seen by the others. */
export async function puppeteerProfile(browser: Browser): Promise<Profile> {
  const context = await browser.createBrowserContext()
  return {
    async open(url) {
      const page = await context.newPage()
      page.setDefaultTimeout(STEP_MS)
      await page.goto(url, { waitUntil: 'domcontentloaded' })
      return tabOf(page)
    },
    close: () => closedContext(context),
  }
}

function tabOf(page: Page): Tab {
  return {
    async click(selector) {
      await page.bringToFront()
      await page.click(selector)
    },
    async clickThrough(selector) {
      await page.bringToFront()
      const opened = new Promise<Page>(resolve => page.once('popup', popup => resolve(popup!)))
      await page.click(selector)
      const popup = await opened
      popup.setDefaultTimeout(STEP_MS)
      // A window begins as about:blank, and waiting there may fail as its page comes.
      const parsed = (): Promise<unknown> => popup.waitForSelector('h1')
      await parsed().catch(parsed)
      return tabOf(popup)
    },
  }
}
