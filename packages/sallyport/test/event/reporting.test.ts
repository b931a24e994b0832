// What only reports is said at start, and counted: an operator must not believe in a door that is open.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard } from 'sallyport'

function started(report: true | readonly string[]) {
  const lines: { readonly kind: string; readonly control?: string; readonly severity: string }[] = []
  const log = (fields: object): void => void lines.push(fields as (typeof lines)[number])
  const guard = createGuard({
    report,
    events: { log: { info: log, warn: log, error: log } },
    handshake: { origin: { allow: ['https://app.example'] }, session: () => null },
    message: { schema: { chat: { type: 'object', properties: {} } } },
  } as Parameters<typeof createGuard>[0])
  return { guard, told: lines.filter(({ kind }) => kind === 'reporting') }
}

test('each control that only reports has an event at start and a metric', () => {
  const { guard, told } = started(['message/schema', 'handshake/ticket'])
  assert.deepEqual(
    told.map(({ control, severity }) => [control, severity]),
    [
      ['message/schema', 'warn'],
      ['handshake/ticket', 'warn'],
    ],
  )
  assert.match(guard.metrics(), /^sallyport_report_only\{control="message\/schema"\} 1$/m)
  assert.match(guard.metrics(), /^sallyport_report_only\{control="handshake\/ticket"\} 1$/m)
  assert.doesNotMatch(guard.metrics(), /report_only\{control="handshake\/origin"/)
})

test('report: true is one event, and a metric for every control', () => {
  const { guard, told } = started(true)
  assert.equal(told.length, 1)
  assert.equal(guard.metrics().match(/^sallyport_report_only\{/gm)?.length, guard.report().controls.length)
})
