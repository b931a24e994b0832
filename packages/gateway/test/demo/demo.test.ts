import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play } from '../../demo/story.ts'

test('the Python backend is hijacked in Chromium alone, and not behind the gateway', { timeout: 90_000 }, async () => {
  const scenes = await play(() => {})
  assert.equal(scenes.length, 16)
  assert.deepEqual(
    scenes.filter(({ asClaimed }) => !asClaimed),
    [],
  )
})
