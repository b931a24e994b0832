import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { LAB } from '../ground/world.ts'
import { readOptions, UsageError } from '../run/options.ts'

const MAIN = ['--conditions=sallyport-source', join(LAB, 'run', 'main.ts')]

const READ: readonly { readonly args: string; readonly options: object }[] = [
  {
    args: '',
    options: { command: 'run', flaws: [], browsers: null, json: false, html: null, guarded: false, jobs: 2 },
  },
  {
    args: 'origin-includes --browser firefox',
    options: { command: 'run', flaws: ['origin-includes'], browsers: ['firefox'] },
  },
  { args: '--browser chromium,webkit-itp --jobs 8', options: { browsers: ['chromium', 'webkit-itp'], jobs: 8 } },
  { args: '--browser chromium --browser firefox --jobs 1', options: { browsers: ['chromium', 'firefox'], jobs: 1 } },
  { args: 'serve origin-includes --guarded', options: { command: 'serve', flaws: ['origin-includes'], guarded: true } },
  { args: 'list', options: { command: 'list' } },
  { args: 'matrix --json', options: { command: 'matrix', json: true } },
  { args: 'origin-includes --help', options: { command: 'help' } },
]

for (const { args, options } of READ) {
  test(`command line: "${args}" is understood`, () => {
    assert.partialDeepStrictEqual(readOptions(args.split(' ').filter(Boolean)), options)
  })
}

const WRONG: readonly { readonly args: string; readonly says: RegExp }[] = [
  { args: 'origin-include', says: /no flaw "origin-include"\. Did you mean origin-includes\?/ },
  { args: '../../etc', says: /no flaw/ },
  { args: 'ground', says: /no flaw/ },
  { args: '--browser opera', says: /no browser "opera"\. Write one of: chromium/ },
  { args: '--browser', says: /argument missing/ },
  { args: '--brwser firefox', says: /Unknown option '--brwser'/ },
  { args: '--jobs 0', says: /from 1 to 8/ },
  { args: '--jobs 9', says: /from 1 to 8/ },
  { args: '--jobs 1.5', says: /from 1 to 8/ },
  { args: 'serve', says: /Write one flaw/ },
  { args: 'serve origin-includes origin-regex-dot', says: /Write one flaw/ },
]

for (const { args, says } of WRONG) {
  test(`command line: "${args}" is refused with what to write`, () => {
    assert.throws(
      () => readOptions(args.split(' ')),
      error => error instanceof UsageError && says.test(error.message),
    )
  })
}

test('a mistake on the command line ends with 2 and one line, no stack', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...MAIN, 'no-such-flaw'], { encoding: 'utf8' })
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^There is no flaw "no-such-flaw"\. See: npm run lab -- list\n$/)
})

test('one flaw in one browser: JSON that holds the evidence, a page that stands alone, and exit code 0', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-lab-page-'))
  try {
    const page = join(folder, 'lab.html')
    const args = ['no-origin-exfiltration', '--browser', 'chromium', '--json', '--html', page]
    const { status, stdout, stderr } = spawnSync(process.execPath, [...MAIN, ...args], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const { browsers, cells } = JSON.parse(stdout) as { browsers: Record<string, string>; cells: any[] }
    assert.match(browsers['chromium']!, /^Chromium \d/)
    assert.deepEqual(
      cells.map(({ attacker, variant, verdict }) => `${attacker} ${variant}: ${verdict}`),
      [
        'https://evil.localhost vulnerable: hijacked',
        'https://evil.localhost guarded: stopped',
        'https://evil.app.shop.localhost vulnerable: hijacked',
        'https://evil.app.shop.localhost guarded: stopped',
      ],
    )
    assert.match(cells[0].loot[0].body, /The safe's code is/)
    assert.match(cells[0].loot[0].origin, /^https:\/\/evil\.localhost:\d+$/)
    assert.deepEqual(cells[1].loot, [])
    assert.equal(cells[1].evidence.honest, 'works: privateMessages')
    const html = readFileSync(page, 'utf8')
    assert.match(html, /4 of 4 cells as described/)
    assert.match(html, /The safe&#39;s code is/)
    assert.match(html, /<b>Origin<\/b>: https:\/\/evil\.localhost:\d+/)
    assert.doesNotMatch(html, /\b(?:src|href)="(?!#)/, 'the page refers to nothing outside itself')
    assert.doesNotMatch(html, /sid=[^…]/, 'no session id is shown')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

for (const variant of ['flawed', 'guarded'] as const) {
  test(`a ${variant} app is served by hand: it says what to open, and ends on an interrupt with 0`, async () => {
    const args = [...MAIN, 'serve', 'no-origin-commands', ...(variant === 'guarded' ? ['--guarded'] : [])]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    const lines: string[] = []
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      if (line.startsWith('End with')) child.kill('SIGINT')
    }
    assert.deepEqual(await ended, [0, null])
    const text = lines.join('\n')
    assert.match(text, variant === 'guarded' ? /behind the guard, stopped by handshake\/origin/ : /the flawed app/)
    assert.match(text, /Open https:\/\/app\.shop\.localhost:\d+\/, and sign in as ann/)
    assert.match(text, /in the same browser: https:\/\/evil\.localhost:\d+\//)
  })
}
