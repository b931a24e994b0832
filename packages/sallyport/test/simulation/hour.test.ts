import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type History, runTown } from './town.ts'

const HOUR = 3_600_000

async function measured(seed: number): Promise<{ readonly history: History; readonly cpuMs: number }> {
  const before = process.cpuUsage()
  const history = await runTown(seed, HOUR)
  const { user, system } = process.cpuUsage(before)
  return { history, cpuMs: Math.round((user + system) / 1000) }
}

test('an hour of honest users and attackers passes in a moment, and one seed gives one history', async t => {
  const [first, second, other] = [await measured(1), await measured(1), await measured(2)]
  const { history } = first
  t.diagnostic(
    `${first.cpuMs}, ${second.cpuMs}, ${other.cpuMs} ms; ${history.events} events, ${history.delivered} messages`,
  )

  assert.deepEqual(second.history, history)
  assert.notEqual(other.history.trace, history.trace)
  assert.deepEqual(Object.keys(history.denials).toSorted(), [
    'SALLY_AGE',
    'SALLY_CONNECTIONS_USER',
    'SALLY_HEARTBEAT_LOST',
    'SALLY_IDLE',
    'SALLY_LIFETIME_EXPIRED',
    'SALLY_MESSAGE_RATE',
    'SALLY_ORIGIN_NOT_ALLOWED',
    'SALLY_SESSION_MISSING',
    'SALLY_TICKET_USED',
  ])
  // Alone on a machine it takes 0.3 s. The bound leaves room for what else runs there.
  const least = Math.min(first.cpuMs, second.cpuMs, other.cpuMs)
  assert.ok(least < 5000, `${least} ms`)
})
