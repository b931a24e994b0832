// Takes the pictures of the README: `npm run screenshots -w @sallyport/example-chat`.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext } from 'puppeteer-core'
import { startChromium } from '../../../test/browsers/chromium.ts'
import { closedContext } from '../../../test/browsers/patience.ts'
import { attack, openChat, say, shows, signInByForm } from '../test/pages.ts'
import { startTestChat } from '../test/running-chat.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'docs', 'screenshots')
const SHARPNESS = 1.5

mkdirSync(FOLDER, { recursive: true })
const { browser, end } = await startChromium()
const path = (name: string): `${string}.png` => `${join(FOLDER, name)}.png`

/** The attacker's page with its verdict, beside a victim who is signed in. */
async function verdict(context: BrowserContext, origin: string, name: string): Promise<void> {
  await attack(context, origin, name, async page => {
    await page.setViewport({ width: 860, height: 840, deviceScaleFactor: SHARPNESS })
    await page.screenshot({ path: path(name) })
  })
}

try {
  for (const unguarded of [false, true]) {
    const running = await startTestChat({ unguarded })
    const context = await browser.createBrowserContext()
    const others = await browser.createBrowserContext()
    const { page } = await openChat(context, running.chat)
    await page.setViewport({ width: 1200, height: 760, deviceScaleFactor: SHARPNESS })
    await signInByForm(page, 'alice')
    if (!unguarded) {
      const bob = (await openChat(others, running.chat)).page
      await signInByForm(bob, 'bob')
      await say(bob, 'It stopped at seat height. I have decided to call it a feature.')
      await page.bringToFront()
      await shows(page, 'It stopped at seat height. I have decided to call it a feature.')
      await say(page, 'Ship it.')
      await shows(page, 'Ship it.')
      await page.screenshot({ path: path('chat') })
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
      await page.click('[data-key="person/bob"]')
      await page.click('#guard-chip')
      await page.screenshot({ path: path('chat-dark') })
      await page.keyboard.press('Escape')
      await page.setViewport({ width: 390, height: 760, deviceScaleFactor: SHARPNESS })
      await page.click('#open-sidebar')
      await page.click('.place[data-key^=room]')
      await page.waitForFunction(() => getComputedStyle(document.querySelector('#sidebar')!).visibility === 'hidden')
      await page.screenshot({ path: path('chat-narrow') })
    }
    await verdict(context, running.chat.attackers[0]!, unguarded ? 'hijacked' : 'refused')
    await closedContext(context)
    await closedContext(others)
    await running.end()
  }
} finally {
  await end()
}
