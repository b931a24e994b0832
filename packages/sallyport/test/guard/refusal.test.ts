import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalOf, refusalText } from '../../src/guard/refusal.ts'
import { deny } from '../../src/model/verdict.ts'

test('the answer is the code and nothing else, the same the second time', () => {
  for (let time = 0; time < 2; time++) {
    assert.equal(
      refusalText(
        refusalOf(deny('SALLY_ORIGIN_NOT_ALLOWED', { reason: 'not-listed', origin: '"https://evil.example"' })),
      ),
      'HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nConnection: close\r\n' +
        'Content-Length: 35\r\n\r\n{"code":"SALLY_ORIGIN_NOT_ALLOWED"}',
    )
  }
})

const waits: readonly [name: string, seconds: number | undefined, header: string | undefined][] = [
  ['none', undefined, undefined],
  ['under a second', 0.2, '1'],
  ['a part of one', 1.2, '2'],
  ['whole', 10, '10'],
  ['whole, again', 10, '10'],
  ['one below what is kept', 59, '59'],
  ['the longest that is kept', 60, '60'],
  ['that again', 60, '60'],
  ['one above it', 61, '61'],
  ['one above it, again', 61, '61'],
  ['a part of one above it', 60.5, '61'],
  ['of a day', 86_400, '86400'],
  ['none after others', undefined, undefined],
]
for (const [name, seconds, header] of waits) {
  test(`Retry-After, ${name}: one denial's wait is not told to the next`, () => {
    const refusal = refusalOf(deny('SALLY_HANDSHAKE_RATE', { reason: 'all' }, seconds))
    assert.equal(refusal.status, 429)
    assert.equal(refusal.headers['Retry-After'], header)
    assert.equal(/Retry-After: (\d+)\r\n/.exec(refusalText(refusal))?.[1], header)
  })
}

test('who embeds a guard cannot write into the answers of others', () => {
  const { headers } = refusalOf(deny('SALLY_ORIGIN_MISSING'))
  for (const answer of [headers, refusalOf(deny('SALLY_HANDSHAKE_RATE', {}, 3)).headers]) {
    assert.throws(() => Object.assign(answer, { 'Set-Cookie': 'a=1' }), TypeError)
  }
  const text = refusalText({ status: 403, headers: { ...headers, 'X-A': '1' }, body: '{}' })
  assert.match(text, /X-A: 1\r\nContent-Length: 2\r\n\r\n\{\}$/)
})
