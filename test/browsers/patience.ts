import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserContext } from 'puppeteer-core'

/** On a busy machine a start takes 3 to 5 s. Two of them, and a test, are within the runner's 120 s. */
export const START_MS = 30_000
/** Longest wait for the answer to one command, in ms; Puppeteer's own 180 s are longer than a test may take. */
export const COMMAND_MS = 30_000
/** How long a browser has to end by itself, in ms. */
const CLOSE_MS = 5000

/** The browser, or a rejection once it is late; then it is killed, whichever of its answers is missing. */
export async function answered(launching: Promise<Browser>, withinMs: number, late: AbortController): Promise<Browser> {
  const over = new AbortController()
  try {
    return await Promise.race([
      launching,
      delay(withinMs, undefined, { signal: over.signal }).then(() => {
        late.abort()
        throw new Error(`the browser did not answer within ${withinMs} ms`)
      }),
    ])
  } finally {
    over.abort()
    launching.catch(() => {})
  }
}

/** Resolves once the browser has ended by itself, or had the time for it: its group is killed then. */
export async function closed(browser: Browser): Promise<void> {
  await Promise.race([browser.close().catch(() => {}), delay(CLOSE_MS, undefined, { ref: false })])
}

/**
 * Resolves once a context is closed, or had the time for it. Chromium now and then never answers
 * `Target.disposeBrowserContext`; what is left of the context ends with the browser.
 */
export async function closedContext(context: Pick<BrowserContext, 'close'>, withinMs = CLOSE_MS): Promise<void> {
  await Promise.race([context.close().catch(() => {}), delay(withinMs, undefined, { ref: false })])
}
