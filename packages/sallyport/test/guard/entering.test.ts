import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEntering, isMeant, isOlder, LATE_MARGIN_MS, type Revoked } from '../../src/guard/entering.ts'
import type { Attempt } from '../../src/model/attempt.ts'
import type { Session } from '../../src/model/session.ts'
import type { RevocationTarget } from '../../src/model/store.ts'

const NOW = 1_700_000_000_000
const attemptOf = (session: Session | null): Attempt => ({ session }) as Attempt
const news = (target: RevocationTarget, at: number | null = null): Revoked => ({ target, at })

/** `session`: of the handshake, which began at NOW. */
const ROWS: readonly (readonly [name: string, revoked: Revoked, session: Session, refused: boolean])[] = [
  ['its session, at once', news({ session: 's1' }), { id: 's1', user: 'ann' }, true],
  ['its session, heard late by an hour', news({ session: 's1' }, NOW - 3_600_000), { id: 's1', user: 'ann' }, true],
  ['its user, at once', news({ user: 'ann' }), { id: 's1', user: 'ann' }, true],
  ['its user, heard late, while it waits', news({ user: 'ann' }, NOW + 300), { id: 's1', user: 'ann' }, true],
  ['its user, at the margin', news({ user: 'ann' }, NOW - LATE_MARGIN_MS), { id: 's1', user: 'ann' }, true],
  ['its user, beyond the margin', news({ user: 'ann' }, NOW - LATE_MARGIN_MS - 1), { id: 's1', user: 'ann' }, false],
  ['everybody, at once', news('all'), { id: 's1', user: 'ann' }, true],
  ['everybody, heard late, while it waits', news('all', NOW + 300), { id: 's1', user: 'ann' }, true],
  ['everybody, long ago', news('all', NOW - 60_000), { id: 's1', user: 'ann' }, false],
  [
    'a sign-in after the late revocation',
    news({ user: 'ann' }, NOW),
    { id: 's2', user: 'ann', issuedAt: NOW + 1 },
    false,
  ],
  ['a sign-in in the very ms', news({ user: 'ann' }, NOW), { id: 's2', user: 'ann', issuedAt: NOW }, true],
  ['another user', news({ user: 'bob' }, NOW), { id: 's1', user: 'ann' }, false],
  ['another session of the user', news({ session: 's2' }), { id: 's1', user: 'ann' }, false],
]

describe('a revocation while a handshake is under way', () => {
  for (const [name, revoked, session, refused] of ROWS) {
    test(`${name}: ${refused ? 'refused' : 'let in'}`, () => {
      const entering = createEntering()
      const attempt = attemptOf(null)
      entering.begin(attempt, NOW)
      entering.note(revoked)
      attempt.session = session
      assert.equal(entering.isRevoked(attempt), refused)
      assert.equal(isMeant(revoked, session) && isOlder(revoked, NOW), refused)
    })
  }

  test('one that began after the news is not touched by them', () => {
    const entering = createEntering()
    const [early, late] = [attemptOf({ id: 's1', user: 'ann' }), attemptOf({ id: 's1', user: 'ann' })]
    entering.begin(early, NOW)
    entering.note(news({ user: 'ann' }))
    entering.begin(late, NOW)
    assert.deepEqual([entering.isRevoked(early), entering.isRevoked(late)], [true, false])
    entering.leave(early)
    entering.note(news({ user: 'ann' }))
    assert.equal(entering.isRevoked(late), true)
    entering.leave(late)
    assert.equal(entering.size, 0)
  })

  test('a flood of news while one handshake waits: bounded, and it is refused rather than let in', () => {
    const entering = createEntering()
    const attempt = attemptOf({ id: 's1', user: 'ann' })
    entering.begin(attempt, NOW)
    for (let index = 0; index < 10_000; index++) entering.note(news({ session: `x${index}` }))
    assert.equal(entering.isRevoked(attempt), false)
    entering.note(news({ session: 'x' }))
    assert.equal(entering.isRevoked(attempt), true)
    const next = attemptOf({ id: 's1', user: 'ann' })
    entering.begin(next, NOW)
    assert.equal(entering.isRevoked(next), false)
  })
})
