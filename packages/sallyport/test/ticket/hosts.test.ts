import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { type FastifyReplyLike, writeToFastify, writeToNode } from '../../src/guard/ticket-hosts.ts'

const ANSWER = { status: 403, headers: { Pragma: 'no-cache' }, body: '{}' }

function answered(sent = false, httpVersionMajor = 1) {
  const calls: (readonly unknown[])[] = []
  const reply: FastifyReplyLike = {
    sent,
    code: status => calls.push([status]),
    header: (name, value) => calls.push([name, value]),
    send: body => calls.push([body]),
  }
  const body = new PassThrough({ highWaterMark: 1 << 20 })
  const request = Object.assign(body, { complete: false, httpVersionMajor }) as unknown as IncomingMessage
  writeToFastify(ANSWER, request, reply)
  return { body, calls }
}

describe('hosts: an unread body', () => {
  for (const [bytes, cut] of [
    [16_383, false],
    [16_384, false],
    [16_385, true],
  ] as const) {
    it(`of ${bytes} bytes is ${cut ? 'cut' : 'thrown away'}, and the connection is not kept`, async () => {
      const { body, calls } = answered()
      assert.deepEqual(calls, [[403], ['Pragma', 'no-cache'], ['Connection', 'close'], ['{}']])
      const seen = new Promise(resolve => body.on(cut ? 'close' : 'data', resolve))
      body.write(Buffer.alloc(bytes))
      await seen
      assert.equal(body.destroyed, cut)
      assert.equal(body.readableLength, 0)
    })
  }
  it('ends no connection of HTTP/2, which other requests share', () => {
    assert.deepEqual(answered(false, 2).calls, [[403], ['Pragma', 'no-cache'], ['{}']])
  })
  it('is left alone where the reply was sent already', () => {
    const { body, calls } = answered(true)
    assert.deepEqual(calls, [])
    assert.equal(body.readableFlowing, null)
  })
})

describe('hosts: an answer of node:http', () => {
  for (const state of ['headersSent', 'destroyed'] as const) {
    it(`is not written, and nothing throws, where it is ${state === 'destroyed' ? 'gone' : 'under way'} already`, () => {
      const never = (): never => assert.fail('nothing is written')
      const response = { headersSent: false, destroyed: false, [state]: true, on: never, setHeader: never, end: never }
      writeToNode(ANSWER, {} as IncomingMessage, response as unknown as ServerResponse)
    })
  }
})
