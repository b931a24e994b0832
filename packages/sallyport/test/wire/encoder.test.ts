import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import {
  FIN,
  frameSize,
  MAX_HEADER_BYTES,
  OPCODE,
  textFrameRoom,
  writeFrame,
  writeMaskedFrame,
  writeMaskedTextFrame,
  writeTextFrame,
} from '../../src/wire/index.ts'
import { decode } from './decoding.ts'

const EDGES = [0, 1, 124, 125, 126, 127, 65535, 65536, 70000]

function textFrame(text: string): Buffer {
  const target = Buffer.alloc(textFrameRoom(text), 0xee)
  return target.subarray(0, writeTextFrame(target, 0, text))
}

describe('writeFrame', () => {
  const header: Record<number, string> = {
    0: '8200',
    125: '827d',
    126: '827e007e',
    65535: '827effff',
    65536: '827f0000000000010000',
  }
  for (const [length, expected] of Object.entries(header)) {
    test(`${length} bytes have the shortest header`, () => {
      const size = frameSize(Number(length))
      const target = Buffer.alloc(size + 2, 0xee)
      assert.equal(writeFrame(target, 1, FIN | OPCODE.binary, Buffer.alloc(Number(length))), size + 1)
      assert.equal(target.toString('hex', 1, 1 + expected.length / 2), expected)
      assert.equal(target[0], 0xee)
      assert.equal(target.at(-1), 0xee)
    })
  }

  for (const length of [0, 1, 47, 48, 49, 125, 126, 511, 512, 513, 1000]) {
    test(`${length} bytes out of the middle of a payload, masked and not`, () => {
      const payload = Buffer.from(Array.from({ length: length + 9 }, (_, index) => 32 + (index % 90)))
      const expected = `text ${payload.toString('latin1', 4, 4 + length)}`
      const target = Buffer.alloc(frameSize(length) + 8, 0xee)
      const end = writeFrame(target, 1, FIN | OPCODE.text, payload, 4, 4 + length)
      assert.equal(end, 1 + frameSize(length))
      assert.equal(target[end], 0xee)
      assert.deepEqual(decode([target.subarray(1, end)], { peer: 'server' }), [expected])
      const masked = writeMaskedFrame(target, 2, FIN | OPCODE.text, payload, 4, 4 + length)
      assert.equal(masked, 6 + frameSize(length))
      assert.deepEqual(decode([target.subarray(2, masked)]), [expected])
    })
  }

  test('a length beyond 32 bits is written in both halves', () => {
    // No such payload exists here; an array that only claims its length shows the header.
    const claims = { length: 0x2_8000_0003, subarray: () => claims } as unknown as Uint8Array
    const target = Buffer.alloc(16)
    target.set = () => undefined
    writeFrame(target, 0, FIN | OPCODE.binary, claims)
    assert.equal(target.toString('hex', 0, 10), '827f0000000280000003')
    assert.equal(frameSize(0x2_8000_0003), 0x2_8000_0003 + MAX_HEADER_BYTES)
  })
})

describe('writeTextFrame', () => {
  test('the example of RFC 6455 §5.7', () => assert.equal(textFrame('Hello').toString('hex'), '810548656c6c6f'))

  for (const length of EDGES) {
    for (const [kind, letter] of [
      ['ASCII', 'a'],
      ['two bytes', 'é'],
      ['three bytes', '€'],
    ] as const) {
      test(`${length} of ${kind}`, () => {
        const text = letter.repeat(length)
        assert.deepEqual(decode([textFrame(text)], { peer: 'server' }), [`text ${text}`])
        assert.equal(textFrame(text).length, frameSize(Buffer.byteLength(text)))
      })
    }
  }

  test('a lone surrogate leaves as U+FFFD, never as bytes that are not UTF-8', () => {
    assert.deepEqual(decode([textFrame('a\ud800b')], { peer: 'server' }), ['text a\ufffdb'])
  })

  test('frames one behind another', () => {
    const target = Buffer.alloc(100)
    const end = writeTextFrame(target, writeTextFrame(target, 0, 'é'), 'b')
    assert.deepEqual(decode([target.subarray(0, end)], { peer: 'server' }), ['text é', 'text b'])
  })
})

describe('writeMaskedTextFrame', () => {
  for (const length of EDGES) {
    for (const [kind, letter] of [
      ['ASCII', 'a'],
      ['three bytes', '€'],
    ] as const) {
      test(`${length} of ${kind}, behind another frame`, () => {
        const text = letter.repeat(length)
        const target = Buffer.alloc(6 + textFrameRoom(text) + 4, 0xee)
        const end = writeMaskedTextFrame(target, writeMaskedTextFrame(target, 0, ''), text)
        assert.equal(end, 6 + frameSize(Buffer.byteLength(text)) + 4)
        assert.deepEqual(decode([target.subarray(0, end)], { peer: 'client' }), ['text ', `text ${text}`])
      })
    }
  }

  test('a lone surrogate leaves as U+FFFD', () => {
    const target = Buffer.alloc(64)
    assert.deepEqual(decode([target.subarray(0, writeMaskedTextFrame(target, 0, '\udc00'))], { peer: 'client' }), [
      'text \ufffd',
    ])
  })
})

describe('writeMaskedFrame', () => {
  for (const length of EDGES) {
    test(`${length} bytes come back`, () => {
      const payload = Buffer.alloc(length, 'abc')
      const target = Buffer.alloc(frameSize(length) + 4)
      assert.equal(writeMaskedFrame(target, 0, FIN | OPCODE.text, payload), target.length)
      assert.deepEqual(decode([target]), [`text ${payload.toString()}`])
      assert.equal(payload.toString(), Buffer.alloc(length, 'abc').toString(), 'the payload itself is left as it was')
    })
  }

  test('two frames of one payload differ: each has its own key', () => {
    const frames = [Buffer.alloc(70), Buffer.alloc(70)]
    for (const frame of frames) writeMaskedFrame(frame, 0, FIN | OPCODE.binary, Buffer.alloc(64))
    assert.notEqual(frames[0]!.toString('hex'), frames[1]!.toString('hex'))
  })
})

test('what is encoded is decoded: any text, either direction, any first byte of a whole message', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
      const payload = Buffer.from(text)
      const target = Buffer.alloc(payload.length + 14)
      const end = writeMaskedFrame(target, 0, FIN | OPCODE.text, payload)
      assert.deepEqual(decode([target.subarray(0, end)]), [`text ${text}`])
      assert.deepEqual(decode([textFrame(text)], { peer: 'server' }), [`text ${text}`])
    }),
  )
})
