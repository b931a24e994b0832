import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deny } from '../../src/model/verdict.ts'
import { issuedAnswer } from '../../src/guard/ticket-answer.ts'
import { ALICE, ask, codeOf, HEADERS, make, PAGE, redeem, type Setting, START } from './endpoint-fixtures.ts'

describe('the ticket endpoint, as Request → Response', () => {
  it('issues a ticket that redeems for this session, origin and path, and reports it without the ticket', async () => {
    const made = make()
    const response = await ask(made.endpoint, '?path=/ws', { 'sec-fetch-site': 'same-origin' })
    assert.equal(response.status, 200)
    assert.deepEqual(Object.fromEntries(response.headers), HEADERS)
    const { ticket, ...rest } = (await response.json()) as { ticket: string }
    assert.deepEqual(rest, { expiresIn: 30 })
    assert.equal(await redeem(made, ticket, PAGE, '/'), false)
    assert.equal(await redeem(made, ticket, PAGE, '/ws'), true)
    const [report] = made.reports
    assert.equal(made.reports.length, 1)
    assert.deepEqual([report!.denial, report!.session, report!.origin], [null, ALICE, PAGE])
    assert.ok(!JSON.stringify(report).includes(ticket))
  })

  const paths: readonly [string, string, string | null, readonly string[] | null][] = [
    ['none named', '', '/', null],
    ['none named, of several', '', '/ws', ['/ws', '/chat']],
    ['one of several', '?path=/chat', '/chat', ['/ws', '/chat']],
    ['encoded in the query', '?path=%2Fws', '/ws', null],
    ['not one of them', '?path=/admin', null, ['/ws']],
    ['a prefix of one', '?path=/w', null, ['/ws']],
    ['empty', '?path=', null, null],
    ['twice', '?path=/ws&path=/admin', null, null],
    ['without a slash', '?path=ws', null, null],
    ['two slashes', '?path=//evil.example/ws', null, null],
    ['a URL', '?path=https://evil.example/', null, null],
    ['parent folder', '?path=/ws/../admin', null, null],
    ['dots in a name', '?path=/a..b', null, null],
    ['encoded parent folder', '?path=/ws/%252e%252e/admin', null, null],
    ['backslash', '?path=/%5Cevil', null, null],
    ['line break', '?path=/ws%0d%0aX:1', null, null],
    ['NUL', '?path=/ws%00', null, null],
    ['a query inside', '?path=/ws%3Fa', null, null],
    ['a fragment inside', '?path=/ws%23a', null, null],
    ['a space', '?path=/w%20s', null, null],
    ['2047 characters', `?path=/${'a'.repeat(2046)}`, `/${'a'.repeat(2046)}`, null],
    ['2048 characters', `?path=/${'a'.repeat(2047)}`, `/${'a'.repeat(2047)}`, null],
    ['2049 characters', `?path=/${'a'.repeat(2048)}`, null, null],
  ]
  for (const [name, query, path, allowed] of paths) {
    it(`path ${name}: ${path === null ? 'refused' : 'issued'}`, async () => {
      const made = make({ ticket: { paths: allowed } })
      const response = await ask(made.endpoint, query)
      if (path === null) {
        assert.ok(response.status === 400 || response.status === 403)
        assert.match(await codeOf(response), /^SALLY_(?:REQUEST_MALFORMED|HANDSHAKE_FORBIDDEN)$/)
      } else {
        const { ticket } = (await response.json()) as { ticket: string }
        assert.equal(await redeem(made, ticket, PAGE, path), true)
      }
    })
  }

  const refusals: readonly [string, Setting, Record<string, string>, number, string][] = [
    ['sibling subdomain, by its Origin', {}, { origin: 'https://evil.app.example' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['allowed Origin of another host', {}, { origin: 'https://www.app.example' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['allowed Origin of another port', {}, { origin: 'https://app.example:8443' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['Origin null', {}, { origin: 'null' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['Host that hides another', {}, { host: 'evil@app.example' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['Host with a path', {}, { host: 'app.example/x' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['same-site', {}, { 'sec-fetch-site': 'same-site' }, 403, 'SALLY_FETCH_METADATA'],
    ['cross-site', {}, { 'sec-fetch-site': 'cross-site' }, 403, 'SALLY_FETCH_METADATA'],
    ['typed by the user', {}, { 'sec-fetch-site': 'none' }, 403, 'SALLY_FETCH_METADATA'],
    ['empty Sec-Fetch-Site', {}, { 'sec-fetch-site': '' }, 403, 'SALLY_FETCH_METADATA'],
    ['Sec-Fetch-Site of two', {}, { 'sec-fetch-site': 'same-origin, cross-site' }, 403, 'SALLY_FETCH_METADATA'],
    ['nobody', { session: () => null }, {}, 401, 'SALLY_SESSION_MISSING'],
    ['expired', { session: () => ({ ...ALICE, expiresAt: START }) }, {}, 401, 'SALLY_SESSION_EXPIRED'],
    ['store down', { session: () => Promise.reject(new Error('secret')) }, {}, 503, 'SALLY_SESSION_UNAVAILABLE'],
    [
      'session that never comes',
      { session: () => new Promise(() => {}), timeoutMs: 5 },
      {},
      503,
      'SALLY_CONTROL_TIMEOUT',
    ],
    [
      'door that throws',
      {
        door: () => {
          throw new Error('secret')
        },
      },
      {},
      503,
      'SALLY_CONTROL_FAILED',
    ],
    ['door that rejects', { door: () => Promise.reject(new Error('secret')) }, {}, 503, 'SALLY_CONTROL_FAILED'],
  ]
  for (const [name, setting, headers, status, code] of refusals) {
    it(`${name}: ${status} ${code}, told once, and nothing else`, async () => {
      const made = make(setting)
      const response = await ask(made.endpoint, '?path=/ws', headers)
      assert.equal(response.status, status)
      assert.deepEqual(Object.fromEntries(response.headers), HEADERS)
      assert.deepEqual(await response.json(), { code })
      assert.deepEqual(
        made.reports.map(report => report.denial?.code),
        [code],
      )
      assert.doesNotMatch(JSON.stringify(made.reports[0]!.denial), /secret/)
    })
  }

  it('a revoked session gets none', async () => {
    const made = make()
    await made.context.store.revoke({ session: 's1' }, 60_000)
    assert.equal(await codeOf(await ask(made.endpoint)), 'SALLY_SESSION_REVOKED')
  })
  for (const [seconds, told] of [
    [0, '1'],
    [0.2, '1'],
    [1, '1'],
    [1.2, '2'],
  ] as const) {
    it(`the door refuses before the session is looked up, and reports it itself; ${seconds} s are ${told} in Retry-After`, async () => {
      const made = make({
        door: () => deny('SALLY_HANDSHAKE_RATE', { reason: 'address' }, seconds),
        session: () => assert.fail('looked up'),
      })
      const response = await ask(made.endpoint)
      assert.equal(response.status, 429)
      assert.equal(response.headers.get('retry-after'), told)
      assert.deepEqual(await response.json(), { code: 'SALLY_HANDSHAKE_RATE' })
      assert.equal(made.reports.length, 0)
    })
  }
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
    it(`${method}: 405 with Allow, and no CORS header`, async () => {
      const made = make({ door: () => assert.fail('asked'), session: () => assert.fail('asked') })
      const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x' }
      const response = await ask(made.endpoint, '', headers, method)
      assert.equal(response.status, 405)
      assert.deepEqual(Object.fromEntries(response.headers), { ...HEADERS, allow: 'POST' })
    })
  }
  for (const [left, told] of [
    [30_000, 30],
    [29_999, 29],
    [1000, 1],
    [999, 0],
    [-1000, 0],
  ] as const) {
    it(`${left} ms that are left are ${told} s in the answer`, () => {
      const { body } = issuedAnswer({ ticket: 't', expiresAt: START + left }, START)
      assert.deepEqual(JSON.parse(body), { ticket: 't', expiresIn: told })
    })
  }
  it('404 where the policy has no tickets of ours', async () => {
    for (const ticket of [null, { csrf: () => true }]) {
      assert.equal((await ask(make({ ticket }).endpoint)).status, 404)
    }
  })
  it('a client without an Origin, where the door allows it, is bound to none', async () => {
    const made = make()
    const response = await made.endpoint(new Request(`${PAGE}/t`, { method: 'POST' }), { ip: '192.0.2.7' })
    const { ticket } = (await response.json()) as { ticket: string }
    assert.equal(await redeem(made, ticket, PAGE), false)
    assert.equal(await redeem(made, ticket, ''), true)
  })
  it('a default port in Host is the same origin', async () => {
    assert.equal((await ask(make().endpoint, '', { host: 'app.example:443' })).status, 200)
    assert.equal((await ask(make().endpoint, '', { host: 'APP.example' })).status, 200)
  })
  it('a listener that throws lets no ticket out', async () => {
    const made = make({
      emit: () => {
        throw new Error('log down')
      },
    })
    assert.equal((await ask(made.endpoint)).status, 503)
  })
})
