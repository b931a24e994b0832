import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTROLS } from '../../src/policy/controls.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { formatReport, reportPolicy } from '../../src/policy/report.ts'
import type { ReportLine } from '../../src/policy/report.ts'
import { policyWith, SECRET } from './honest-policy.ts'

const report = (changes: Record<string, unknown> = {}): ReturnType<typeof reportPolicy> =>
  reportPolicy(parsePolicy(policyWith(changes)))
const lineOf = (id: string, changes: Record<string, unknown> = {}): ReportLine =>
  report(changes).controls.find(line => line.control === id)!
const anyOrigin = { dangerouslyAllowAnyOrigin: true }

type Row = readonly [
  name: string,
  control: string,
  changes: Record<string, unknown>,
  state: string,
  values: RegExp,
  because: readonly string[],
  touches: string | null,
]
// biome-ignore format: a table is read by its rows
const ROWS: readonly Row[] = [
  ['on, as decided', 'handshake/origin', {}, 'on', /^https:\/\/app\.company\.com$/, [], null],
  ['any origin', 'handshake/origin', { 'handshake.origin': anyOrigin }, 'off', /any/, ['handshake.origin.dangerouslyAllowAnyOrigin'], 'ASVS-4.4.2'],
  ['what any origin takes with it', 'handshake/host', { 'handshake.origin': anyOrigin }, 'off', /any Host/, ['handshake.origin.dangerouslyAllowAnyOrigin'], 'WS-6'],
  ['missing allowed', 'handshake/origin', { 'handshake.origin': { allow: ['https://a.example'], dangerouslyAllowMissing: true } }, 'weakened', /or none/, ['handshake.origin.dangerouslyAllowMissing'], 'S1'],
  ['a day', 'lifetime/session', { 'lifetime.session': { remember: '24 h' } }, 'on', /remembered 1 day$/, [], null],
  ['two days', 'lifetime/session', { 'lifetime.session': { remember: '48 h' } }, 'on', /remembered 2 days$/, [], null],
  ['a budget of a day', 'message/rate', { 'message.rate': { messages: 5, per: '1 day' } }, 'on', /^5 messages\/day, burst 5;/, [], null],
  ['plaintext', 'handshake/transport', { 'handshake.transport': { dangerouslyAllowPlaintext: true } }, 'off', /plaintext/, ['handshake.transport.dangerouslyAllowPlaintext'], 'S8'],
  ['no ticket by name', 'handshake/ticket', { 'handshake.ticket': { dangerouslyWithoutTicket: true } }, 'off', /Origin alone/, ['handshake.ticket.dangerouslyWithoutTicket'], 'S2'],
  ['no ticket needed', 'handshake/ticket', { 'handshake.session': Object.assign(() => null, { ambient: false }) }, 'off', /not needed/, [], null],
  ['no deadline needed', 'lifetime/authentication', {}, 'off', /not needed/, [], null],
  ['keys allowed', 'message/format', { 'message.format': { dangerouslyAllowKeys: ['constructor'] } }, 'weakened', /constructor/, ['message.format.dangerouslyAllowKeys'], 'S5'],
  ['reported only', 'message/rate', { report: ['message/rate'] }, 'report-only', /100 messages/, [], 'S7'],
  ['reported only and weakened', 'message/format', { report: true, 'message.format': { dangerouslyAllowKeys: ['constructor'] } }, 'report-only', /json/, ['message.format.dangerouslyAllowKeys'], 'S5'],
  ['off stays off in report mode', 'message/rate', { report: true, 'message.rate': { dangerouslyOff: true } }, 'off', /no bound/, ['message.rate.dangerouslyOff'], 'S7'],
  ['compression refused is on', 'handshake/extensions', {}, 'on', /nothing is compressed/, [], null],
  ['compression bounded is on', 'handshake/extensions', { 'handshake.extensions': { deflate: true } }, 'on', /2\^12/, [], null],
  ['a long list is cut', 'handshake/origin', { 'handshake.origin': { allow: Array.from({ length: 9 }, (_, index) => `https://a${index}.example`) } }, 'on', /and 5 more/, [], null],
]
for (const [name, control, changes, state, values, because, touches] of ROWS) {
  test(`report: ${name}`, () => {
    const line = lineOf(control, changes)
    assert.equal(line.state, state)
    assert.match(line.values, values)
    assert.deepEqual(line.because, because)
    if (touches === null) assert.deepEqual(line.requirements, [])
    else assert.ok(line.requirements.includes(touches), line.requirements.join())
  })
}

test('every control has its line, and the counts add up', () => {
  const { controls, counts } = report()
  assert.deepEqual(
    controls.map(line => line.control),
    CONTROLS.map(control => control.id),
  )
  assert.equal(counts.on + counts.off + counts.weakened + counts['report-only'], CONTROLS.length)
  for (const line of controls) assert.ok(line.values.length > 0 && line.values !== 'unknown control', line.control)
})

test('report mode turns every control that is on into one that reports', () => {
  assert.equal(report({ report: true }).counts['report-only'], report().counts.on)
})

test('a report is frozen and can be sent as JSON', () => {
  const whole = report()
  assert.ok(
    Object.isFrozen(whole) &&
      Object.isFrozen(whole.controls) &&
      whole.controls.every(
        line => Object.isFrozen(line) && Object.isFrozen(line.because) && Object.isFrozen(line.requirements),
      ),
  )
  assert.deepEqual(JSON.parse(JSON.stringify(whole)), whole)
})

test('a report holds no secret', () => {
  const changes = { 'handshake.ticket': { secret: [SECRET, `${SECRET}2`] }, events: { hashKey: SECRET } }
  assert.match(lineOf('handshake/ticket', changes).values, /2 secrets/)
  assert.ok(!formatReport(report(changes)).includes(SECRET.slice(0, 12)))
})

test('the text is aligned, with and without colour', () => {
  const whole = report({ 'handshake.origin': anyOrigin })
  const plain = formatReport(whole)
  assert.ok(!plain.includes('\u001B'))
  const columns = whole.controls.map(line =>
    plain
      .split('\n')
      .find(text => text.startsWith(`  ${line.control} `))!
      .indexOf(line.values.split('; ')[0]!),
  )
  assert.equal(new Set(columns).size, 1)
  const coloured = formatReport(whole, { colour: true })
  // oxlint-disable-next-line no-control-regex
  assert.equal(coloured.replaceAll(/\u001B\[\d+m/g, ''), plain)
  assert.notEqual(coloured, plain)
})

test('long values go on in the next row, in the same column, and lose nothing', () => {
  const whole = report({ 'message.heartbeat': [{ text: 'ping', reply: 'pong' }] })
  const rows = formatReport(whole).split('\n')
  for (const control of ['handshake/rate', 'message/rate']) {
    const { values } = whole.controls.find(line => line.control === control)!
    const first = rows.findIndex(row => row.startsWith(`  ${control} `))
    const column = rows[first]!.indexOf(values.split('; ')[0]!)
    const end = rows.findIndex((row, index) => index > first && !row.startsWith(' '.repeat(column)))
    const shown = rows.slice(first, end).map(row => row.slice(column))
    assert.ok(shown.length > 1, control)
    assert.ok(
      shown.every(row => row.length <= 80),
      shown.join('|'),
    )
    assert.equal(shown.join(' '), values)
  }
})

for (const [name, args, message] of [
  ['nothing', [], /the report is nothing; write formatReport\(guard\.report\(\)\)/],
  ['null', [null], /the report is null/],
  ['the method that was not called', [() => undefined], /the report is a function/],
  ['a list', [[]], /the report is an empty list/],
  ['colour alone', [reportPolicy(parsePolicy(policyWith())), true], /the options are true, not an object/],
  ['another spelling', [reportPolicy(parsePolicy(policyWith())), { color: true }], /'color'; did you mean colour\?/],
] as const) {
  test(`formatReport: ${name} is an error`, () => {
    assert.throws(() => Reflect.apply(formatReport, undefined, args), { name: 'TypeError', message })
  })
}

test('report mode lists what it changes all the same; a policy that enforces everything lists nothing', () => {
  assert.deepEqual(report().changes, [])
  const { changes } = report({ report: true })
  for (const word of [/memory/, /drain/, /ticket/, /pinged/, /session/])
    assert.ok(
      changes.some(line => word.test(line)),
      String(word),
    )
  assert.match(
    formatReport(report({ report: true })),
    /report mode changes nothing but this:\n {2}- the guard's own memory/,
  )
  assert.doesNotMatch(formatReport(report()), /changes nothing/)
  assert.ok(!report({ report: ['message/rate'] }).changes.some(line => /pinged|ticket/.test(line)))
})
