import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DENIALS } from '../../src/policy/denials.ts'

const PACKAGES = join(import.meta.dirname, '..', '..', '..')
/** These name codes in order to describe them or to read them; none of them denies. */
const NAMES_ONLY = /(?:^|\/)(?:client\/|denials\.ts|\w+-controls\.ts|would-deny\.ts|client-script-text\.ts)/

const sources = globSync('{sallyport,gateway}/src/**/*.ts', { cwd: PACKAGES })
  .filter(file => !NAMES_ONLY.test(file.replaceAll('\\', '/')))
  .map(file => readFileSync(join(PACKAGES, file), 'utf8'))
  .join('\n')

for (const code of Object.keys(DENIALS)) {
  test(`${code}: some code denies with it`, () => assert.ok(sources.includes(`'${code}'`)))
}

test('a code that nothing makes is not found', () => assert.ok(!sources.includes("'SALLY_NOBODY_MAKES_THIS'")))
