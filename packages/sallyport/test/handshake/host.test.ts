import assert from 'node:assert/strict'
import { test } from 'node:test'
import { host } from '../../src/controls/handshake/host.ts'
import { attemptOf, codeOf, compileControl, policyOf } from './door-fixtures.ts'

const policy = policyOf({ host: { allow: ['api.company.com', 'admin.company.com:8443', '[::1]'] } })
const check = compileControl(host, policy)

const rows: readonly [name: string, value: string | readonly string[] | null, passes: boolean][] = [
  ['the name of an allowed origin', 'app.company.com', true],
  ['it with a port, which a proxy may map', 'app.company.com:8443', true],
  ['letter case of names is not told apart', 'APP.Company.COM', true],
  ['a further name', 'api.company.com:1', true],
  ['a further name with its port', 'admin.company.com:8443', true],
  ['an IPv6 address', '[::1]:443', true],
  ['rebinding: the name of the attacker', 'evil.example', false],
  ['rebinding: an address', '192.0.2.1', false],
  ['a further name with another port', 'admin.company.com:8444', false],
  ['a name with a port only, without it', 'admin.company.com', false],
  ['suffix', 'app.company.com.evil.example', false],
  ['joined prefix', 'evilapp.company.com', false],
  ['subdomain', 'evil.app.company.com', false],
  ['trailing dot', 'app.company.com.', false],
  ['no port behind the colon', 'app.company.com:', false],
  ['a port of six digits', 'app.company.com:123456', false],
  ['a port of letters', 'app.company.com:https', false],
  ['a user before it', 'app.company.com@evil.example', false],
  ['a list', 'app.company.com, evil.example', false],
  ['repeated, both served', ['app.company.com', 'app.company.com'], false],
  ['repeated, one served', ['app.company.com', 'evil.example'], false],
  ['empty', '', false],
  ['missing', null, false],
  ['a NUL', 'app.company.com\0', false],
]
for (const [name, Host, passes] of rows) {
  test(`${name} is ${passes ? 'served' : 'refused'}`, async () => {
    const verdict = await check(attemptOf({ headers: { Host } }))
    assert.equal(codeOf(verdict), passes ? 'pass' : 'SALLY_HOST_NOT_SERVED')
  })
}

test('X-Forwarded-Host and an absolute target do not stand for Host', async () => {
  const headers = { Host: 'evil.example', 'X-Forwarded-Host': 'app.company.com', 'X-Host': 'app.company.com' }
  const attempt = attemptOf({ headers, target: 'http://app.company.com/ws' })
  assert.equal(codeOf(await check(attempt)), 'SALLY_HOST_NOT_SERVED')
})

test('it is off only by dangerouslyOff', () => {
  assert.throws(() => compileControl(host, policyOf({ host: { dangerouslyOff: true } })), /is off/)
})
