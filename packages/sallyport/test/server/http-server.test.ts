import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { installFirstBytesReader } from 'sallyport/internal'
import { cutUnread, readLines } from 'sallyport/internal'
import { kindOf } from '../../src/shape/shown.ts'

const server = createServer()

for (const call of [installFirstBytesReader, cutUnread, readLines] as ((server: never) => unknown)[]) {
  for (const given of [undefined, null, 8443, { port: 8443 }, createServer])
    test(`${call.name}: ${kindOf(given)} is no server, and is not left as it is in silence`, () => {
      assert.throws(() => call(given as never), {
        name: 'TypeError',
        message: `${call.name}: server is ${kindOf(given)}; give what createServer() of node:http or node:https returned`,
      })
    })
  test(`${call.name}: a server that is still to come`, () => {
    assert.throws(() => call(Promise.resolve(server) as never), {
      name: 'TypeError',
      message: /is a Promise; await it first/,
    })
  })
  test(`${call.name}: a server is taken`, () => assert.doesNotThrow(() => call(server as never)))
}
