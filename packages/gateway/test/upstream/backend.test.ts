import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseAddress } from '../../src/upstream/backend.ts'

describe('an address of a backend', () => {
  const rows: readonly [label: string, tls: boolean, connect: object, hostname: string, host: string][] = [
    ['ws://10.0.0.3:9000', false, { host: '10.0.0.3', port: 9000 }, '10.0.0.3', '10.0.0.3:9000'],
    ['http://app', false, { host: 'app', port: 80 }, 'app', 'app'],
    ['wss://app.internal', true, { host: 'app.internal', port: 443 }, 'app.internal', 'app.internal'],
    ['https://app:8443/', true, { host: 'app', port: 8443 }, 'app', 'app:8443'],
    ['ws://[::1]:9000', false, { host: '::1', port: 9000 }, '::1', '[::1]:9000'],
    ['unix:/run/app.sock', false, { path: '/run/app.sock' }, 'localhost', 'localhost'],
  ]
  for (const [label, tls, connect, hostname, host] of rows) {
    test(label, () => assert.deepEqual(parseAddress(label), { label, tls, connect, hostname, host }))
  }

  for (const label of [
    'ws://app/path',
    'ws://app/?a=1',
    'ws://app/#a',
    'ws://user@app',
    'ws://:secret@app',
    'ftp://app',
    'ws://app:65536',
    'unix:app.sock',
    'app:9000',
    '',
  ]) {
    test(`${JSON.stringify(label)} is none`, () => {
      assert.throws(() => parseAddress(label), { name: 'TypeError', message: /is no target: write ws:\/\/host:port/ })
    })
  }
})
