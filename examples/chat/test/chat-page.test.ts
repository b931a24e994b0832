import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext } from 'puppeteer-core'
import { type Chromium, startChromium } from '../../../test/browsers/chromium.ts'
import { closedContext } from '../../../test/browsers/patience.ts'
import { ask } from './https-client.ts'
import { connected, openChat, say, shows, signInByForm, textOf } from './pages.ts'
import { startTestChat } from './running-chat.ts'
import type { TestChat } from './running-chat.ts'

let chromium: Chromium
let running: TestChat
before(async () => {
  ;[chromium, running] = await Promise.all([startChromium(), startTestChat({})])
})
after(async () => {
  await chromium.end()
  await running.end()
})

const PATIENCE = { timeout: 10_000 }
const newContext = (): Promise<BrowserContext> => chromium.browser.createBrowserContext()

test('page: two people talk in a room and in private; markup stays text; nobody else reads along', async () => {
  const contexts = await Promise.all([newContext(), newContext(), newContext()])
  const [alice, bob, carol] = await Promise.all(contexts.map(context => openChat(context, running.chat)))
  await signInByForm(alice!.page, 'alice')
  await signInByForm(bob!.page, 'bob')
  await signInByForm(carol!.page, 'carol')

  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script> & "quotes"'
  await bob!.page.bringToFront()
  await say(bob!.page, hostile)
  for (const { page } of [alice!, bob!, carol!]) await shows(page, hostile)
  assert.equal(await alice!.page.$('#messages img, #messages script'), null)

  await bob!.page.click('[data-key="person/alice"]')
  await say(bob!.page, 'only for Alice')
  await shows(bob!.page, 'only for Alice')
  await alice!.page.waitForSelector('[data-key="person/bob"] .badge', PATIENCE)
  assert.equal(await textOf(alice!.page, '[data-key="person/bob"]').then(text => text.includes('online')), true)
  await alice!.page.bringToFront()
  await alice!.page.click('[data-key="person/bob"]')
  await shows(alice!.page, 'only for Alice')
  assert.equal(await alice!.page.$('[data-key="person/bob"] .badge'), null)

  // Carol was served since: her page would have had the words by now.
  await alice!.page.click('.place[data-key^=room]')
  await say(alice!.page, 'the last words')
  await shows(carol!.page, 'the last words')
  assert.doesNotMatch(await carol!.page.content(), /only for Alice/)
  for (const { problems } of [alice!, bob!, carol!]) assert.deepEqual(problems, [])
  await Promise.all(contexts.map(closedContext))
})

test('page: the keyboard alone signs in, talks, changes the conversation, keeps the account, signs out', async () => {
  const context = await newContext()
  const { page, problems } = await openChat(context, running.chat)
  const { keyboard } = page
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.id ?? '')
  const tabTo = async (selector: string): Promise<void> => {
    for (let presses = 0; presses < 40; presses++) {
      if (await page.evaluate(wanted => document.activeElement?.matches(wanted) ?? false, selector)) return
      await keyboard.press('Tab')
    }
    assert.fail(`Tab never reaches ${selector}`)
  }
  await page.waitForSelector('#sign-in:not([hidden])', PATIENCE)
  assert.equal(await focused(), 'name')
  await keyboard.type('carol')
  await keyboard.press('Tab')
  await keyboard.type('wrong')
  await keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('#sign-in-error')?.textContent !== '', PATIENCE)
  assert.equal(await focused(), 'password')
  await keyboard.type('paper-lantern')
  await keyboard.press('Enter')
  await connected(page)

  assert.equal(await focused(), 'composer-text')
  await keyboard.type('one line')
  await keyboard.down('Shift')
  await keyboard.press('Enter')
  await keyboard.up('Shift')
  await keyboard.type('and another')
  await keyboard.press('Enter')
  await shows(page, 'one line\nand another')

  await keyboard.down('Alt')
  await keyboard.press('ArrowDown')
  await keyboard.up('Alt')
  assert.equal(await textOf(page, '#title'), '# launch')
  await tabTo('[data-key="person/bob"]')
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)
  assert.equal(ring, 'solid')
  await keyboard.press('Enter')
  assert.equal(await textOf(page, '#title'), 'Bob Okafor')
  assert.equal(await page.$eval('[data-key="person/bob"]', element => element === document.activeElement), true)

  await tabTo('#menu-button')
  await keyboard.press('Enter')
  await tabTo('#delete-account')
  await keyboard.press('Enter')
  await page.waitForSelector('#delete-dialog[open]', PATIENCE)
  await keyboard.press('Escape')
  await page.waitForSelector('#delete-dialog:not([open])', PATIENCE)
  assert.notEqual(running.chat.store.userByName('carol'), undefined)

  await tabTo('#menu-button')
  await keyboard.press('Enter')
  await tabTo('#sign-out')
  await keyboard.press('Enter')
  await page.waitForSelector('#sign-in:not([hidden])', PATIENCE)
  assert.equal(await textOf(page, '#sign-in-error'), 'You are signed out.')
  // The one refused sign-in of this test is the one thing on the console.
  assert.deepEqual(
    problems.filter(text => !text.includes('401')),
    [],
  )
  await closedContext(context)
})

test('page: every control has a name, on the sign-in form and in the chat', async () => {
  const context = await newContext()
  const { page } = await openChat(context, running.chat)
  const check = async (least: number): Promise<void> => {
    const named: string[] = []
    const walk = (node: { role?: string; name?: string; children?: readonly object[] }): void => {
      if (['button', 'link', 'textbox', 'log', 'dialog', 'navigation'].includes(node.role ?? '')) {
        assert.ok((node.name ?? '').trim() !== '', `${node.role} without a name`)
        named.push(node.name ?? '')
      }
      for (const child of node.children ?? []) walk(child)
    }
    walk((await page.accessibility.snapshot()) as Parameters<typeof walk>[0])
    assert.ok(named.length >= least, named.join(', '))
  }
  await page.waitForSelector('#sign-in:not([hidden])', PATIENCE)
  await check(6)
  await signInByForm(page, 'alice')
  await check(9)
  await closedContext(context)
})

for (const theme of ['light', 'dark'] as const) {
  test(`page, ${theme}: text is read against its ground (WCAG AA), at 1280 and at 320 px without sideways scrolling`, async () => {
    const context = await newContext()
    const { page } = await openChat(context, running.chat)
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }])
    await signInByForm(page, 'alice')
    for (const width of [1280, 320]) {
      await page.setViewport({ width, height: 720 })
      const { sideways, dark, poor } = await page.evaluate(() => {
        const parse = (colour: string): number[] => {
          const canvas = document.createElement('canvas').getContext('2d')!
          canvas.fillStyle = colour
          canvas.fillRect(0, 0, 1, 1)
          return [...canvas.getImageData(0, 0, 1, 1).data]
        }
        const light = (colour: number[]): number => {
          const [r = 0, g = 0, b = 0] = colour
            .map(part => part / 255)
            .map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
          return 0.2126 * r + 0.7152 * g + 0.0722 * b
        }
        const ground = (element: Element | null): number[] => {
          if (element === null) return [255, 255, 255, 255]
          const colour = parse(getComputedStyle(element).backgroundColor)
          return colour[3] === 255 ? colour : ground(element.parentElement)
        }
        const worst: string[] = []
        for (const element of document.querySelectorAll(
          '#app :is(h1, h2, p, time, .label, .name, .handle, .avatar, .chip, .hash)',
        )) {
          if (element.getClientRects().length === 0) continue
          const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))]
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
          if (ratio < 4.5) worst.push(`${element.tagName}#${element.id}.${element.className} ${ratio.toFixed(2)}`)
        }
        return {
          sideways: document.documentElement.scrollWidth > innerWidth,
          dark: light(ground(document.querySelector('#log'))) < 0.2,
          poor: worst,
        }
      })
      assert.deepEqual(poor, [])
      assert.equal(sideways, false, `${width} px`)
      assert.equal(dark, theme === 'dark')
    }
    await closedContext(context)
  })
}

test('page, narrow: the drawer opens, takes the focus, and Escape gives it back', async () => {
  const context = await newContext()
  const { page } = await openChat(context, running.chat)
  await page.setViewport({ width: 390, height: 780 })
  await signInByForm(page, 'alice')
  const hidden = (): Promise<boolean> =>
    page.$eval('#sidebar', element => getComputedStyle(element).visibility === 'hidden')
  assert.equal(await hidden(), true)
  await page.focus('#open-sidebar')
  await page.keyboard.press('Enter')
  assert.equal(await hidden(), false)
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-current')), 'page')
  await page.keyboard.press('Escape')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'open-sidebar')
  await page.keyboard.press('Enter')
  // The drawer slides in: what is clicked must have come to rest.
  await page.locator('[data-key="person/bob"]').click()
  await page.waitForFunction(
    () => getComputedStyle(document.querySelector('#sidebar')!).visibility === 'hidden',
    PATIENCE,
  )
  assert.equal(await textOf(page, '#title'), 'Bob Okafor')
  await closedContext(context)
})

test('sign-out over HTTP: the other tab’s socket closes, and its page asks to sign in', async () => {
  const context = await newContext()
  const { page } = await openChat(context, running.chat)
  await signInByForm(page, 'bob')
  const cookies = await context.cookies()
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const heard = running.events.length
  const { origin } = running.chat
  assert.equal((await ask(origin, '/logout', { method: 'POST', headers: { origin, cookie } })).status, 204)
  await page.waitForSelector('#sign-in:not([hidden])', PATIENCE)
  assert.match(await textOf(page, '#sign-in-error'), /signed out/)
  const since = running.events.slice(heard)
  assert.ok(since.some(({ kind, close_code }) => kind === 'close' && close_code === 4401))
  assert.ok(since.some(({ code }) => code === 'SALLY_LIFETIME_REVOKED'))
  await closedContext(context)
})

test('restart: history and sign-ins survive, the page comes back by itself; a deleted account does not keep its session', async () => {
  const data = mkdtempSync(join(tmpdir(), 'sallyport-restart-'))
  const context = await newContext()
  let second: TestChat | null = null
  const first = await startTestChat({ data })
  try {
    const { page } = await openChat(context, first.chat)
    await signInByForm(page, 'alice')
    await say(page, 'before the restart')
    await shows(page, 'before the restart')
    const ports = [first.chat.origin, first.chat.attackers[0]!].map(origin => Number(new URL(origin).port))
    await first.end()
    await page.waitForSelector('#status[data-state=connecting]', PATIENCE)
    second = await startTestChat({ data, port: ports[0]!, attackerPort: ports[1]! })
    await page.waitForSelector('#status[data-state=open]', { timeout: 30_000 })
    await shows(page, 'before the restart')
    await say(page, 'after the restart')
    await shows(page, 'after the restart')

    await page.click('#menu-button')
    await page.click('#delete-account')
    await page.waitForSelector('#delete-dialog[open]', PATIENCE)
    await page.click('#delete-dialog button[value=delete]')
    await page.waitForSelector('#sign-in:not([hidden])', PATIENCE)
    assert.match(await textOf(page, '#sign-in-error'), /deleted/)
    assert.equal(second.chat.store.userByName('alice'), undefined)
    assert.deepEqual(second.chat.store.database.prepare('SELECT * FROM sessions').all(), [])
  } finally {
    await closedContext(context)
    await second?.end()
    rmSync(data, { recursive: true, force: true })
  }
})
