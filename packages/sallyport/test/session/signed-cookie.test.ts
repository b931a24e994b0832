import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sign } from 'cookie-signature'
import { signedCookie } from '../../src/session/index.ts'
import { show } from '../../src/shape/shown.ts'
import { handshake } from './handshakes.ts'

const NEW = 'the newest secret 51ac'
const OLD = 'an older secret 0b7e11'
const SESSIONS = new Map([
  ['s1', { id: 's1', user: 'alice' }],
  ['', { id: 'empty', user: 'nobody' }],
])
const bearing = (value: string) => handshake('/ws', { cookie: `sid=${encodeURIComponent(value)}` })

describe('signedCookie', () => {
  const resolver = signedCookie({ name: 'sid', secret: [NEW, OLD], load: value => SESSIONS.get(value) })

  for (const [name, secret] of [
    ['newest', NEW],
    ['older', OLD],
  ] as const) {
    it(`a value signed with the ${name} secret is its session`, async () => {
      assert.deepEqual(await resolver(bearing(`s:${sign('s1', secret)}`)), { id: 's1', user: 'alice' })
    })
  }

  const right = sign('s1', NEW)
  const nobody: readonly [string, string][] = [
    ['unsigned', 's1'],
    ['signature without the s: mark', right],
    ['signed with a retired secret', `s:${sign('s1', 'a secret long since retired')}`],
    ['value swapped under a signature', `s:s2${right.slice(2)}`],
    ['cut signature', `s:${right.slice(0, -1)}`],
    ['lengthened signature', `s:${right}A`],
    ['no signature', 's:s1.'],
    ['no dot', 's:s1'],
    ['empty value, signed', `s:${sign('', NEW)}`],
    ['JSON cookie', 'j:{"id":"s1"}'],
    ['unknown, signed', `s:${sign('gone', NEW)}`],
  ]
  for (const [name, value] of nobody) {
    it(`${name} is nobody`, async () => assert.ok(!(await resolver(bearing(value)))))
  }

  it('reads a cookie of 4096 characters and none of 4097', async () => {
    const echo = signedCookie({ name: 'sid', secret: NEW, load: value => ({ id: value, user: 'u' }) })
    const overhead = `s:${sign('', NEW)}`.length
    const long = (total: number): string => `s:${sign('a'.repeat(total - overhead), NEW)}`
    assert.equal(long(4096).length, 4096)
    assert.notEqual(await echo(bearing(long(4095))), null)
    assert.notEqual(await echo(bearing(long(4096))), null)
    assert.equal(await echo(bearing(long(4097))), null)
  })

  it('no cookie is nobody; load is not asked', async () => {
    const asked = signedCookie({ name: 'sid', secret: NEW, load: () => assert.fail('asked') })
    assert.equal(await asked(handshake()), null)
    assert.equal(await asked(bearing('s:s1.forged')), null)
  })

  it('a load that fails is passed on', () => {
    const failing = signedCookie({
      name: 'sid',
      secret: NEW,
      load: () => {
        throw new RangeError('down')
      },
    })
    assert.throws(() => failing(bearing(`s:${right}`)), RangeError)
    assert.equal(failing.ambient, true)
  })

  const misuse: readonly [string, object, RegExp][] = [
    ['no name', { name: undefined }, /name is nothing, not a cookie name\. Write/],
    ['name with a space', { name: 'a b' }, /name is 'a b'/],
    ['no secret', { secret: undefined }, /secret is missing\. Pass/],
    ['no secrets', { secret: [] }, /secret is missing/],
    ['secret of 15 bytes', { secret: 'x'.repeat(15) }, /secret is 15 bytes long; .* openssl/],
    ['one short secret of two', { secret: [NEW, 'cat'] }, /secret is 3 bytes long/],
    ['secret that is a number', { secret: [12] }, /secret is a number/],
    ['secret as bytes', { secret: Buffer.alloc(32) }, /secret is bytes; it must be a string/],
    ['secret that is still to come', { secret: Promise.resolve(NEW) }, /secret is a Promise/],
    ['secret that is unset', { secret: [undefined] }, /secret is nothing/],
    ['misspelt option', { secrets: NEW }, /unknown option 'secrets'; did you mean secret\?/],
    ['option of express-session', { httpOnly: true }, /unknown option 'httpOnly'; there are name, secret, load/],
    ['no load', { load: undefined }, /load is nothing, not a function\. Write/],
  ]
  for (const [name, change, message] of misuse) {
    it(`misuse: ${name}`, () => {
      const options = { name: 'sid', secret: NEW, load: () => null, ...change } as never
      assert.throws(() => signedCookie(options), { name: 'TypeError', message })
    })
  }
  for (const options of [undefined, null, 5, 'sid', [], Promise.resolve({})]) {
    it(`misuse: ${show(options)} as options`, () => {
      assert.throws(() => signedCookie(options as never), {
        name: 'TypeError',
        message: /^signedCookie: the options are /,
      })
    })
  }
  it('a secret of 16 bytes is enough', () => {
    assert.equal(typeof signedCookie({ name: 'sid', secret: 'x'.repeat(16), load: () => null }), 'function')
  })
})
