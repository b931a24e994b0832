import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoginThrottle } from '../src/login-throttle.ts'

test('sign-in attempts: the eighth failure is the last in a minute; other names go on', () => {
  let now = 0
  const throttle = createLoginThrottle(() => now)
  for (let failure = 1; failure <= 7; failure++) throttle.failed('alice')
  assert.equal(throttle.allows('alice'), true)
  throttle.failed('alice')
  assert.equal(throttle.allows('alice'), false)
  assert.equal(throttle.allows('bob'), true)
  now = 59_999
  assert.equal(throttle.allows('alice'), false)
  now = 60_000
  assert.equal(throttle.allows('alice'), true)
})

test('sign-in attempts: a success forgets the failures', () => {
  const throttle = createLoginThrottle(() => 0)
  for (let failure = 1; failure <= 8; failure++) throttle.failed('alice')
  throttle.succeeded('alice')
  assert.equal(throttle.allows('alice'), true)
})

test('sign-in attempts: a flood of names does not grow without bound, and forgets the oldest first', () => {
  const throttle = createLoginThrottle(() => 0)
  for (let failure = 1; failure <= 8; failure++) throttle.failed('alice')
  for (let other = 1; other <= 999; other++) throttle.failed(`name-${other}`)
  assert.equal(throttle.allows('alice'), false)
  throttle.failed('name-1000')
  assert.equal(throttle.allows('alice'), true)
})
