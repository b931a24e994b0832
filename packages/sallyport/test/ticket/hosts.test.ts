import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { type FastifyReplyLike, writeToFastify } from '../../src/ticket/hosts.ts'

const ANSWER = { status: 403, headers: { Pragma: 'no-cache' }, body: '{}' }

function answered(sent = false) {
  const calls: (readonly unknown[])[] = []
  const reply: FastifyReplyLike = {
    sent,
    code: status => calls.push([status]),
    header: (name, value) => calls.push([name, value]),
    send: body => calls.push([body]),
  }
  const body = new PassThrough({ highWaterMark: 1 << 20 })
  const request = Object.assign(body, { complete: false, httpVersionMajor: 1 }) as unknown as IncomingMessage
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
  it('is left alone where the reply was sent already', () => {
    const { body, calls } = answered(true)
    assert.deepEqual(calls, [])
    assert.equal(body.readableFlowing, null)
  })
})
