import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertHeld } from './assert-held.ts'
import { FAILOVERS } from './failovers.ts'
import type { Scale } from './scenario.ts'

/** What `npm run faults` does; here no machine is too busy to answer in time. */
const PATIENT: Scale = { graceMs: 60_000, deadlineMs: 500, awayMs: 0, handshakes: 0, honest: 0 }

/** Each by one client; `npm run faults` has the others. */
const HERE = ['SENTINEL failover, node-redis', 'CLUSTER failover, ioredis', 'CLUSTER, node-redis']

for (const { name, run } of FAILOVERS.filter(one => HERE.some(here => one.name.startsWith(here)))) {
  test(`${name}: no ticket twice, no cap exceeded, nobody let in before there is a primary`, async () => {
    const report = await run(PATIENT)
    assertHeld(report)
    assert.deepEqual(
      Object.keys(report.answers).filter(answer => !/^(?:429|503) /.test(answer)),
      [],
      'refused with a reason, above the cap',
    )
    assert.ok(Object.keys(report.answers).some(answer => answer.startsWith('503 ')))
    if (name.includes('every slot')) assert.match(report.note, /^17 slots moved/)
  })
}
