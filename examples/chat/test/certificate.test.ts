import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { developmentCertificate } from '../src/certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-certificate-'))
after(() => rmSync(folder, { recursive: true }))
const DAY = 24 * 60 * 60 * 1000

test('certificate: good for the chat and for both attackers, for no other name, and no authority', async () => {
  const { cert } = await developmentCertificate(join(folder, 'a.json'))
  const parsed = new X509Certificate(cert)
  for (const name of ['app.localhost', 'evil.localhost', 'evil.app.localhost', 'localhost']) {
    assert.equal(parsed.checkHost(name), name)
  }
  assert.equal(parsed.checkHost('example.com'), undefined)
  assert.equal(parsed.ca, false)
})

test('certificate: kept between starts, readable by its owner alone', async () => {
  const path = join(folder, 'b.json')
  const first = await developmentCertificate(path)
  assert.deepEqual(await developmentCertificate(path), first)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('certificate: made again within a day of its end, and not before', async () => {
  const path = join(folder, 'c.json')
  const { cert } = await developmentCertificate(path)
  const end = new X509Certificate(cert).validToDate.getTime()
  assert.equal((await developmentCertificate(path, end - DAY - 1)).cert, cert)
  assert.notEqual((await developmentCertificate(path, end - DAY)).cert, cert)
})

for (const [name, text] of [
  ['no JSON', 'nonsense'],
  ['other JSON', '{"key":1,"cert":null}'],
  ['no certificate', '{"key":"a","cert":"b"}'],
] as const) {
  test(`certificate: a file with ${name} is replaced`, async () => {
    const path = join(folder, `${name}.json`)
    writeFileSync(path, text)
    const { cert } = await developmentCertificate(path)
    assert.equal(new X509Certificate(cert).checkHost('app.localhost'), 'app.localhost')
  })
}
