import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback } from '../../src/model/loopback.ts'

const rows: readonly (readonly [host: string, loopback: boolean])[] = [
  ['localhost', true],
  ['app.shop.localhost', true],
  ['127.0.0.1', true],
  ['127.255.255.255', true],
  ['::1', true],
  ['[::1]', true],
  ['evillocalhost', false],
  ['.localhost', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['127.0.0.256', false],
  ['127.1', false],
  ['128.0.0.1', false],
  ['0.0.0.0', false],
  ['::', false],
  ['::2', false],
  ['', false],
]
for (const [host, loopback] of rows) {
  test(`${JSON.stringify(host)} is ${loopback ? 'this machine' : 'not'}`, () =>
    assert.equal(isLoopback(host), loopback))
}
