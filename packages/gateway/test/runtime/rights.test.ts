import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reloadInDoubt } from './rights.ts'

const SOCKETS = 150

describe('reloads of a changed route while nobody can tell who is who', { timeout: 180_000 }, () => {
  test('a slow endpoint: no socket is lost', async () => {
    const scene = { sockets: SOCKETS, graceMs: 20_000, reloadEveryMs: 700, forMs: 5000, slowMs: 200 }
    const figures = await reloadInDoubt({ ...scene, fault: 'slow' })
    assert.deepEqual([figures.closed, figures.codes], [0, {}])
    assert.ok(figures.reloads > 1 && figures.asked > SOCKETS)
  })

  for (const fault of ['fails', 'hangs', 'redis'] as const) {
    test(`${fault}: no socket is lost within the grace, and none is kept alive beyond it by reloads`, async () => {
      const scene = { sockets: SOCKETS, graceMs: 4000, reloadEveryMs: 400, forMs: 'closed' } as const
      const figures = await reloadInDoubt({ ...scene, fault })
      assert.equal(figures.early, 0, JSON.stringify(figures))
      assert.deepEqual([figures.closed, figures.codes], [SOCKETS, { 1013: SOCKETS }])
      assert.ok(figures.reloads > 2)
    })
  }
})
