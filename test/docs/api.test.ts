// Every public name has a docstring and a version; each problem says what to write.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiPaths, apiProblems, firstSentence } from '../../scripts/docs/api.ts'

test('every public name has a docstring and the version that added it', () => {
  assert.deepEqual(apiProblems(), [])
})

test('no path has become a list of parts: a name that only the gateway uses is in sallyport/internal', () => {
  for (const { path, names } of apiPaths())
    assert.ok(names.length > 0 && names.length <= 40, `${path}: ${names.length}`)
})

test('the first sentence of a docstring ends at its first stop', () => {
  assert.equal(firstSentence('Opens. Throws a `TypeError`.'), 'Opens.')
  assert.equal(firstSentence('Waits for\n{@link Guard}, e.g. one'), 'Waits for `Guard`, e.g. one')
  assert.equal(firstSentence('Reads it.\n\n@throws PolicyError'), 'Reads it.')
})
