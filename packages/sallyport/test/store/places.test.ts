import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { type Claim, createPlaces } from '../../src/store/places.ts'

const KEY = 'all'
const TTL_MS = 60_000
const places = (): ReturnType<typeof createPlaces> => createPlaces(1000, () => undefined)

describe('a place that is asked for once more before the others have answered', () => {
  const twice = (): { of: ReturnType<typeof createPlaces>; claim: Claim; second: Promise<boolean> } => {
    const of = places()
    const claim = of.claim(KEY, 'a', 9, TTL_MS, 0)
    const second = of.claim(KEY, 'a', 9, TTL_MS, 0)
    assert.ok(typeof claim === 'object' && 'granted' in claim)
    assert.ok(second instanceof Promise)
    return { of, claim, second }
  }
  test('is held where they grant it, once', async () => {
    const { of, claim, second } = twice()
    claim.granted()
    assert.equal(await second, true)
    assert.equal(of.size, 1)
    assert.equal(of.claim(KEY, 'a', 9, TTL_MS, 0), true)
  })
  test('is not held where they refuse it', async () => {
    const { of, claim, second } = twice()
    claim.refused()
    assert.equal(await second, false)
    assert.equal(of.size, 0)
  })
  test('is unknown where they do not answer', async () => {
    const { of, claim, second } = twice()
    claim.failed(new Error('away'))
    await assert.rejects(second, /away/)
    assert.equal(of.size, 0)
  })
})

test('a claim that is refused late takes no place that was given back and taken again', () => {
  const of = places()
  const first = of.claim(KEY, 'a', 9, TTL_MS, 0) as Claim
  of.release(KEY, 'a')
  const second = of.claim(KEY, 'a', 9, TTL_MS, 0) as Claim
  first.refused()
  assert.equal(of.size, 1)
  second.granted()
  assert.equal(of.size, 1)
  assert.equal(of.claim(KEY, 'a', 9, TTL_MS, 0), true)
})

const step = fc.record({
  kind: fc.constantFrom('ask', 'ask', 'answer', 'answer', 'release'),
  id: fc.constantFrom('a', 'b', 'c'),
  nth: fc.nat(5),
  answer: fc.constantFrom('granted', 'granted', 'refused', 'failed'),
})

test('whatever the others answer, and when: each that was told that it holds a place is counted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const of = places()
      const asked: Claim[] = []
      /** Told that it holds one, and has not given it back since it asked. */
      const holders = new Set<string>()
      const rounds = new Map<string, number>()
      for (const { kind, id, nth, answer } of steps) {
        if (kind === 'release') {
          of.release(KEY, id)
          holders.delete(id)
          rounds.set(id, (rounds.get(id) ?? 0) + 1)
        } else if (kind === 'ask') {
          const round = rounds.get(id)
          const told = (held: boolean): void => void (held && rounds.get(id) === round && holders.add(id))
          const claim = of.claim(KEY, id, 9, TTL_MS, 0)
          if (typeof claim === 'boolean') told(claim)
          else if (claim instanceof Promise) claim.then(told, () => undefined)
          else {
            const granted = (): void => {
              claim.granted()
              told(true)
            }
            asked.push({ ...claim, granted })
          }
        } else {
          const [claim] = asked.splice(nth % Math.max(1, asked.length), 1)
          claim?.[answer](undefined)
        }
        await Promise.resolve()
        assert.ok(of.size >= holders.size, `${holders.size} hold a place, ${of.size} are counted`)
      }
      for (const claim of asked) claim.refused()
      for (const id of ['a', 'b', 'c']) of.release(KEY, id)
      assert.equal(of.size, 0)
    }),
  )
})
