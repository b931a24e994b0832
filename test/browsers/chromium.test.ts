import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startChromium, UPSTREAM_COOKIES } from './chromium.ts'
import { closedContext } from './patience.ts'

/** A browser that fails `times` in this way, and then is Chromium. Each start leaves a line. */
function failing(way: string, times: number): { readonly path: string; starts(): number; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-failing-'))
  const path = join(folder, 'browser')
  const log = join(folder, 'starts')
  writeFileSync(log, '')
  writeFileSync(
    path,
    `#!/bin/sh\necho start >> '${log}'\n[ "$(wc -l < '${log}')" -gt ${times} ] || ${way}\nexec /usr/bin/chromium "$@"\n`,
    { mode: 0o700 },
  )
  return {
    path,
    starts: () => readFileSync(log, 'utf8').split('\n').length - 1,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

test('a browser that ends at once is started once more, in another profile', async () => {
  const browser = failing('exit 1', 1)
  try {
    const chromium = await startChromium(UPSTREAM_COOKIES, { path: browser.path })
    const page = await chromium.browser.newPage()
    assert.equal(await page.evaluate(() => 6 * 7), 42)
    await chromium.end()
    assert.equal(browser.starts(), 2)
  } finally {
    browser.remove()
  }
})

test('a browser that does not answer is killed and started once more; then it is an error', async () => {
  const browser = failing('exec sleep 300', 2)
  try {
    await assert.rejects(startChromium(UPSTREAM_COOKIES, { path: browser.path, withinMs: 500 }), /within 500 ms/)
    assert.equal(browser.starts(), 2)
  } finally {
    browser.remove()
  }
})

test('a context whose close is never answered is left to the end of the browser', async () => {
  let asked = 0
  const close = (): Promise<void> => {
    asked++
    return new Promise(() => {})
  }
  await closedContext({ close }, 50)
  assert.equal(asked, 1)
})
