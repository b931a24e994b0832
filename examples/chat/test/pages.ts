import assert from 'node:assert/strict'
import type { BrowserContext, Page } from 'puppeteer-core'
import type { RunningChat } from '../src/chat.ts'
import { DEMO_ACCOUNTS } from '../src/demo-content.ts'

/** Longest wait for anything on a page, in ms. */
const PATIENCE = { timeout: 10_000 }

/** The chat, open in a tab, and what went wrong in it. */
export interface ChatPage {
  readonly page: Page
  /** Errors on the console: a Content-Security-Policy violation is one. */
  readonly problems: readonly string[]
}

/** Opens the chat's page. */
export async function openChat(context: BrowserContext, chat: RunningChat): Promise<ChatPage> {
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', message => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('pageerror', error => problems.push(String(error)))
  await page.goto(chat.origin)
  return { page, problems }
}

/** Signs in by the form, and waits until the chat is connected and drawn. */
export async function signInByForm(page: Page, name: string): Promise<void> {
  const account = DEMO_ACCOUNTS.find(known => known.name === name)
  assert.ok(account !== undefined)
  await page.waitForSelector('#sign-in:not([hidden])', PATIENCE)
  await page.type('#name', account.name)
  await page.type('#password', account.password)
  await page.keyboard.press('Enter')
  await connected(page)
}

/** Waits until the page has its connection and shows a conversation. */
export async function connected(page: Page): Promise<void> {
  await page.waitForSelector('#status[data-state=open]', PATIENCE)
  await page.waitForSelector('#messages > li', PATIENCE)
}

export async function say(page: Page, text: string): Promise<void> {
  await page.type('#composer-text', text)
  await page.keyboard.press('Enter')
}

/** Waits until the open conversation shows this text as one whole message. */
export async function shows(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    wanted => [...document.querySelectorAll('#messages .text')].some(row => row.textContent === wanted),
    PATIENCE,
    text,
  )
}

export async function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, element => element.textContent ?? '')
}

/** Opens an attacker's page and waits for the end of its attack. `look` sees the page before it is closed. */
export async function attack(
  context: BrowserContext,
  origin: string,
  visit: string,
  look?: (page: Page) => Promise<void>,
): Promise<'hijacked' | 'refused'> {
  const page = await context.newPage()
  await page.goto(`${origin}/?visit=${visit}`)
  await page.waitForSelector('html[data-close-code]', PATIENCE)
  const verdict = await page.$eval('html', element => element.dataset['verdict'])
  await look?.(page)
  await page.close()
  assert.ok(verdict === 'hijacked' || verdict === 'refused', verdict)
  return verdict
}
