import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SallyEvent } from 'sallyport'
import { eventLine, noticeLine } from '../src/event-line.ts'
import { paintFor } from '../src/terminal-text.ts'
import type { Paint } from '../src/terminal-text.ts'

const stream = (isTTY: boolean): NodeJS.WriteStream => ({ isTTY }) as NodeJS.WriteStream
const bare: Paint = (_format, text) => text
const NOON = new Date(2026, 10, 24, 12, 0, 0)
const DENIAL: SallyEvent = {
  kind: 'denial',
  datetime: NOON.toISOString(),
  appid: 'chat',
  event: 'malicious_cors',
  level: 'warn',
  description: 'the Origin is not allowed',
  control: 'handshake/origin',
  code: 'SALLY_ORIGIN_NOT_ALLOWED',
  origin: 'https://evil.app.localhost:9443',
  remedy: 'Add it if the page is yours.',
}

test('event line: time, level, control, code, origin, what to do', () => {
  assert.equal(
    eventLine(DENIAL, bare),
    '12:00:00  warn      handshake/origin        SALLY_ORIGIN_NOT_ALLOWED  https://evil.app.localhost:9443  Add it if the page is yours.',
  )
})

test('event line: a summary says how many, report mode that nothing was denied, a close its code', () => {
  assert.match(eventLine({ ...DENIAL, count: 40 }, bare), /×40/)
  assert.match(eventLine({ ...DENIAL, enforced: false }, bare), /report mode/)
  const { code: _code, control: _control, remedy: _remedy, ...rest } = DENIAL
  assert.match(eventLine({ ...rest, kind: 'close', close_code: 4401 }, bare), /close {19}.*closed with 4401/)
})

const HOSTILE: readonly (readonly [string, string])[] = [
  ['escape sequence', 'https://evil\u001B[2J\u001B[31m'],
  ['line break', 'https://evil\r\n12:00:00  info  all is well'],
  ['C1 control', 'https://evil\u009B2J'],
  ['bidirectional override', 'https://evil\u202Emoc.live'],
  ['line separator', 'https://evil\u2028next'],
]
for (const [name, origin] of HOSTILE) {
  test(`event line: an Origin with ${name} stays on its line and moves nothing`, () => {
    for (const line of [
      eventLine({ ...DENIAL, origin }, bare),
      noticeLine({ from: 'attacker', origin, text: '' }, bare, NOON),
    ]) {
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      assert.match(line, /https:\/\/evil\uFFFD/)
    }
  })
}

test('event line: a long Origin is cut', () => {
  assert.ok(eventLine({ ...DENIAL, origin: `https://${'a'.repeat(5000)}` }, bare).length < 400)
})

test('colours: on a terminal alone, and not where NO_COLOR is set', t => {
  t.after(() => delete process.env['NO_COLOR'])
  delete process.env['NO_COLOR']
  assert.equal(paintFor(stream(true))('red', 'x'), '\u001B[31mx\u001B[39m')
  assert.equal(paintFor(stream(false))('red', 'x'), 'x')
  process.env['NO_COLOR'] = '1'
  assert.equal(paintFor(stream(true))('red', 'x'), 'x')
})
