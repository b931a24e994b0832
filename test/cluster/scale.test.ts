import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { callsFor, demandOf, LOADS, type Load } from '../../bench/cluster-scale.ts'
import { simulate, tableOf } from '../../bench/cluster-simulation.ts'

const small: Load = {
  sockets: 1500,
  nodes: 3,
  lifeSeconds: 30,
  messageSeconds: 20,
  perUser: 1.5,
  perIp: 2,
  buckets: 16,
  cluster: false,
}

describe('the calculation of docs/cluster/figures.md', () => {
  for (const { row, keys, buckets, expected } of [
    { row: 'nothing changed', keys: 0, buckets: 16, expected: 0 },
    { row: 'one key is one call', keys: 1, buckets: 16, expected: 1 },
    { row: 'one bucket is one call', keys: 50, buckets: 1, expected: 1 },
    { row: 'a hundred of one bucket', keys: 100, buckets: 1, expected: 1 },
    { row: 'one more than a hundred', keys: 101, buckets: 1, expected: 1.01 },
    { row: 'many hit every bucket', keys: 1000, buckets: 16, expected: 16 },
  ]) {
    it(row, () => assert.ok(Math.abs(callsFor(keys, buckets) - expected) < 0.01, `${callsFor(keys, buckets)}`))
  }

  it('twice the sockets are twice the keys, tickets and handshakes', () => {
    const [one, two] = [demandOf(small), demandOf({ ...small, sockets: 3000 })]
    assert.equal(two.calls.tickets, 2 * one.calls.tickets)
    assert.equal(two.calls.handshakes, 2 * one.calls.handshakes)
    assert.ok(Math.abs(two.keys / one.keys - 2) < 0.05)
  })

  it('is what the page shows', () => {
    const page = readFileSync(new URL('../../docs/cluster/figures.md', import.meta.url), 'utf8')
    for (const line of tableOf(LOADS).split('\n')) assert.ok(page.includes(line), line)
  })

  it('agrees with a cluster that runs: calls within a third', async () => {
    const measured = await simulate(small, 8)
    const expected = demandOf(small)
    const ratio = measured.callsInAll / expected.callsInAll
    assert.ok(ratio > 0.67 && ratio < 1.33, `${measured.callsInAll} measured, ${expected.callsInAll} calculated`)
  })
})
