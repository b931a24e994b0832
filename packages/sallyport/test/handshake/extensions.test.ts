import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extensions } from '../../src/controls/handshake/extensions.ts'
import { policyOf } from './door-fixtures.ts'

const WHOLE = { threshold: 1024, windowBits: 12 }

const rows: readonly [name: string, section: object | undefined, offer: object | null][] = [
  ['unsaid: nothing is negotiated', undefined, null],
  ['an empty section: nothing is negotiated', {}, null],
  ['false: nothing is negotiated', { deflate: false }, null],
  ['true: the bounds of the defaults', { deflate: true }, WHOLE],
  ['the smallest window', { deflate: { windowBits: 9 } }, { ...WHOLE, windowBits: 9 }],
  ['the greatest window', { deflate: { windowBits: 15 } }, { ...WHOLE, windowBits: 15 }],
  ['its own bound', { deflate: { threshold: '2 KiB' } }, { ...WHOLE, threshold: 2048 }],
]
for (const [name, section, offer] of rows) {
  test(name, () => {
    assert.deepEqual(extensions.compile(policyOf(section === undefined ? {} : { extensions: section })), offer)
  })
}

for (const windowBits of [8, 16, 1.5, '12']) {
  test(`a window of ${windowBits} is a mistake`, () => {
    assert.throws(() => policyOf({ extensions: { deflate: { windowBits } } }), /windowBits/)
  })
}
