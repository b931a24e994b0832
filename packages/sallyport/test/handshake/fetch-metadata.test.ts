import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchMetadata } from '../../src/controls/handshake/fetch-metadata.ts'
import { attemptOf, codeOf, compileControl, ORIGIN, policyOf } from './door-fixtures.ts'

const check = compileControl(fetchMetadata)
type Row = readonly [
  name: string,
  site: string | readonly string[] | null,
  mode: string | null,
  host: string,
  passes: boolean,
]
const SAME = 'app.company.com'
const OTHER = 'api.company.com'
const rows: readonly Row[] = [
  ['Chromium: nothing is sent', null, null, SAME, true],
  ['Firefox: same-origin, websocket', 'same-origin', 'websocket', SAME, true],
  ['another port behind a proxy', 'same-origin', 'websocket', `${SAME}:8443`, true],
  ['same-site beside the page’s own name', 'same-site', 'websocket', SAME, true],
  ['same-site beside another name', 'same-site', 'websocket', OTHER, true],
  ['cross-site beside another name', 'cross-site', 'websocket', 'socket.example', true],
  ['mode alone', null, 'websocket', SAME, true],
  ['cross-site beside the page’s own name', 'cross-site', 'websocket', SAME, false],
  ['same-origin beside another name', 'same-origin', 'websocket', OTHER, false],
  ['none', 'none', 'websocket', SAME, false],
  ['an unknown word', 'friendly', 'websocket', SAME, false],
  ['letter case', 'Same-Origin', 'websocket', SAME, false],
  ['empty', '', 'websocket', SAME, false],
  ['repeated', ['same-origin', 'cross-site'], 'websocket', SAME, false],
  ['repeated alike', ['same-origin', 'same-origin'], 'websocket', SAME, false],
  ['mode cors: fetch', 'same-origin', 'cors', SAME, false],
  ['mode navigate: a link', 'same-origin', 'navigate', SAME, false],
  ['mode no-cors: an image', null, 'no-cors', SAME, false],
  ['mode empty', null, '', SAME, false],
]
for (const [name, site, mode, host, passes] of rows) {
  test(`${name}: ${passes ? 'passes' : 'is refused'}`, async () => {
    const headers = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode, Host: host }
    const verdict = await check(attemptOf({ headers }, { origin: ORIGIN }))
    assert.equal(codeOf(verdict), passes ? 'pass' : 'SALLY_FETCH_METADATA')
  })
}

test('Dest is not compared: engines disagree on it', async () => {
  for (const dest of ['empty', 'websocket']) {
    assert.equal(codeOf(await check(attemptOf({ headers: { 'Sec-Fetch-Dest': dest } }, { origin: ORIGIN }))), 'pass')
  }
})

test('a browser whose Origin was taken off on the way is refused, where a missing Origin is allowed', async () => {
  const stripped = attemptOf({ headers: { Origin: null, 'Sec-Fetch-Site': 'cross-site' } })
  assert.equal(codeOf(await check(stripped)), 'SALLY_FETCH_METADATA')
  assert.equal(codeOf(await check(attemptOf({ headers: { Origin: null } }))), 'pass')
})

test('it is off by dangerouslyOff, and where any Origin may connect', () => {
  for (const section of [
    { 'fetch-metadata': { dangerouslyOff: true } },
    { origin: { dangerouslyAllowAnyOrigin: true } },
  ]) {
    assert.throws(() => compileControl(fetchMetadata, policyOf(section)), /is off/)
  }
})
