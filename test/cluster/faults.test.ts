import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertHeld } from './assert-held.ts'
import type { Scale } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'

/** What `npm run faults` does at length, in short: a dead node's places lapse after 11 s. */
const SHORT: Scale = { graceMs: 3000, deadlineMs: 250, awayMs: 700, handshakes: 300, honest: 90 }

for (const name of ['kill -9 of a node', 'kill -9 of Redis, no persistence: it restarts empty', 'SIGSTOP of Redis']) {
  test(`${name}: no ticket twice, no cap exceeded, nobody revoked lives on`, async () => {
    const scenario = SCENARIOS.find(each => each.name === name)
    assert.ok(scenario)
    const report = await scenario.run({ ...SHORT, graceMs: name === 'kill -9 of a node' ? 3000 : 30_000 })
    assertHeld(report)
    if (name === 'kill -9 of a node') assert.doesNotMatch(report.note, /after -1/)
    if (name === 'SIGSTOP of Redis') assert.match(report.note, /^300 × 503/)
  })
}
