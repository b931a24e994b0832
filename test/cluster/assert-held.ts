import assert from 'node:assert/strict'
import type { FaultReport } from './fault.ts'

/** What holds whatever fails: no ticket twice, no cap exceeded, nobody revoked lives on, no honest socket is lost. */
export function assertHeld(report: FaultReport): void {
  assert.equal(report.ticketsTwice, 0)
  assert.ok(report.ticketsTried > 10)
  assert.equal(report.mostOfUser, 10)
  assert.notEqual(report.revokedAliveMs, -1, 'the revoked sockets closed')
  assert.notEqual(report.normalMs, -1, 'it came back to normal')
  assert.match(report.lost, /^0 of [1-9]/)
}
