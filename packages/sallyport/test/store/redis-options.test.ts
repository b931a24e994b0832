import assert from 'node:assert/strict'
import { test } from 'node:test'
import { show } from '../../src/shape/shown.ts'
import { createRedisLink } from '../../src/store/redis-link.ts'
import { checkedOptions } from '../../src/store/redis-options.ts'

const secret = 'the secret of all nodes, 2f9c1e7a'
const hunter = 'hunter2-hunter2-hunter2-hunter2-'

const MISTAKES: readonly (readonly [name: string, options: unknown, message: RegExp])[] = [
  ['nothing', undefined, /the options are nothing, not an object; write redis\(client, \{ secret/],
  ['null', null, /the options are null/],
  ['the secret alone', secret, /the options are a string/],
  ['options that are still to come', Promise.resolve({ secret }), /await it first/],
  ['a misspelt key', { secrets: secret }, /unknown option 'secrets'; did you mean secret\?/],
  ['an address', { secret, url: 'redis://a' }, /unknown option 'url'; write the URL where the client is made/],
  ['a key of ioredis', { secret, keyPrefix: 'a' }, /'keyPrefix'; write prefix/],
  ['no secret', {}, /secret is nothing; it must be text of 32 bytes/],
  ['a secret of 31 bytes', { secret: 'x'.repeat(31) }, /secret is \(hidden, 31 bytes\); .* openssl/],
  ['a secret that anybody can guess', { secret: 'changeme'.repeat(5) }, /\(hidden, 40 bytes\), a placeholder/],
  ['a secret that repeats', { secret: hunter }, /\(hidden, 32 bytes\), a placeholder/],
  ['a secret as bytes', { secret: Buffer.alloc(32) }, /secret is bytes/],
  ['a secret that is still to come', { secret: Promise.resolve(secret) }, /secret is a Promise/],
  ['a list of secrets', { secret: [secret] }, /secret is a list of 1/],
  ['a prefix that is no text', { secret, prefix: 5 }, /prefix is 5; write 1 to 64 letters/],
  ['an empty prefix', { secret, prefix: '' }, /prefix is ''/],
  ['a prefix with braces, by which Redis chooses the server', { secret, prefix: 'a{b}' }, /prefix is 'a\{b\}'/],
  ['a prefix of 65 characters', { secret, prefix: 'a'.repeat(65) }, /prefix is 'a/],
  ['buckets as text', { secret, buckets: '16' }, /buckets is '16'; write 16 without quotes/],
  ['no bucket', { secret, buckets: 0 }, /buckets is 0; write a whole number from 1 to 4096/],
  ['more buckets than there may be', { secret, buckets: 4097 }, /buckets is 4097/],
  ['a deadline as text', { secret, deadlineMs: '50' }, /deadlineMs is '50'; write 50 without quotes/],
  ['a deadline in words', { secret, deadlineMs: '50 ms' }, /deadlineMs is '50 ms'; write a number from 1/],
  ['no deadline', { secret, deadlineMs: Infinity }, /deadlineMs is Infinity/],
  ['a grace that is no number', { secret, graceMs: Number.NaN }, /graceMs is NaN/],
  ['a grace of less than three heartbeats', { secret, graceMs: 2999 }, /graceMs is 2999; write three heartbeats/],
  ['less than nothing in excess', { secret, excess: -0.1 }, /excess is -0\.1; write a number from 0 to 1/],
  ['more than all in excess', { secret, excess: 1.1 }, /excess is 1\.1/],
  ['half a key', { secret, maxKeys: 1.5 }, /maxKeys is 1\.5/],
  ['a time instead of a clock', { secret, now: 5 }, /now is a number, not a function/],
]

for (const [name, options, message] of MISTAKES) {
  test(`redis: ${name} is an error at start, and tells no secret`, () => {
    assert.throws(
      () => checkedOptions(options as never),
      (error: unknown) =>
        error instanceof TypeError &&
        error.message.startsWith('redis(client, options): ') &&
        message.test(error.message) &&
        !/2f9c1e7a|hunter2/.test(error.message),
    )
  })
}

for (const options of [
  { secret },
  { secret, prefix: 'chat:eu-1' },
  { secret, buckets: 1, excess: 0, graceMs: 3000, heartbeatMs: 1000 },
  { secret, buckets: 4096, excess: 1, prefix: undefined },
]) {
  test(`redis: ${Object.keys(options).join(', ')} at their bounds are taken: ${show(options)}`, () => {
    assert.equal(checkedOptions(options as never), options)
  })
}

for (const [name, client, message] of [
  ['nothing', undefined, /client is nothing, which cannot serve; give a client of `redis`/],
  ['an address, which is not shown', 'redis://:hunter2@redis', /^(?!.*hunter2).*client is a string/],
  ['the module', { createClient() {} }, /client is an object, which cannot serve/],
  ['a client that is still to come', Promise.resolve({}), /client is a Promise, which cannot serve; await it first/],
] as const) {
  test(`redis: ${name} as a client is an error at start`, () => {
    assert.throws(() => createRedisLink(client as never), { name: 'TypeError', message })
  })
}
