import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { deflateMessage, FIN, frameSize, inflateMessage, OPCODE, RSV1, writeMaskedFrame } from '../../src/wire/index.ts'
import { decode, hex, singly } from './decoding.ts'

const inflate = inflateMessage
const zero = '00000000'

describe('RFC 7692 §7.2.3 examples', () => {
  const rows = [
    ['one DEFLATE block', `c187 ${zero} f248cdc9c90700`],
    ['fragmented', `4183 ${zero} f248cd 8084 ${zero} c9c90700`],
    ['no compression', `c18b ${zero} 000500faff48656c6c6f00`],
    ['a final block', `c188 ${zero} f348cdc9c9070000`],
    ['a final block and nothing behind it', `c187 ${zero} f348cdc9c90700`],
    ['two blocks', `c18d ${zero} f248050000 00ffffcac9c90700`],
  ] as const
  for (const [name, bytes] of rows) {
    test(name, () => {
      assert.deepEqual(decode([hex(bytes)], { inflate }), ['text Hello'])
      assert.deepEqual(decode(singly(hex(bytes)), { inflate }), ['text Hello'])
    })
  }
})

describe('RSV1 after negotiation', () => {
  const rows = [
    ['a message may go uncompressed', `8181 ${zero} 61`, ['text a']],
    ['compressed binary', `c287 ${zero} f248cdc9c90700`, ['binary 48656c6c6f']],
    ['an empty message', `c181 ${zero} 00`, ['text ']],
    ['not on a continuation', `4181 ${zero} 00 c080 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['nor where the message is not compressed', `0181 ${zero} 61 c080 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['nor on a ping', `c980 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['RSV2 stays reserved', `e180 ${zero}`, ['fault 1002 WIRE_RESERVED_BITS']],
    ['the next message stands alone', `c187 ${zero} f248cdc9c90700 8182 ${zero} c3a9`, ['text Hello', 'text é']],
  ] as const
  for (const [name, bytes, expected] of rows) {
    test(name, () => {
      assert.deepEqual(decode([hex(bytes)], { inflate }), expected)
      assert.deepEqual(decode(singly(hex(bytes)), { inflate }), expected)
    })
  }
})

function compressed(payload: Buffer, opcode: number = OPCODE.text): Buffer {
  const deflated = deflateMessage(payload, 15)
  const frame = Buffer.alloc(frameSize(deflated.length) + 4)
  writeMaskedFrame(frame, 0, FIN | RSV1 | opcode, deflated)
  return frame
}

describe('hostile compressed messages', () => {
  test('a bomb of 64 MiB in 64 KiB stops at the bound', () => {
    const bomb = compressed(Buffer.alloc(1 << 26), OPCODE.binary)
    assert.ok(bomb.length < 1 << 17)
    const started = process.memoryUsage().arrayBuffers
    assert.deepEqual(decode([bomb], { inflate, limits: { messageBytes: 1 << 16 } }), [
      'fault 1009 WIRE_INFLATE_TOO_BIG',
    ])
    assert.ok(process.memoryUsage().arrayBuffers - started < 1 << 22)
  })

  for (const [bytes, bound, expected] of [
    [999, 1000, 'text'],
    [1000, 1000, 'text'],
    [1001, 1000, 'fault 1009 WIRE_INFLATE_TOO_BIG'],
    [0, 0, 'text'],
    [1, 0, 'fault 1009 WIRE_INFLATE_TOO_BIG'],
  ] as const) {
    test(`${bytes} bytes inflated, ${bound} allowed`, () => {
      const inflated = inflate(deflateMessage(Buffer.alloc(bytes, 'a'), 15), bound)
      assert.equal(Buffer.isBuffer(inflated) ? 'text' : `fault ${inflated.closeCode} ${inflated.code}`, expected)
    })
  }

  const rows = [
    ['a reserved block type', '07', 'fault 1007 WIRE_INFLATE'],
    ['a distance before the beginning', '4b040b00', 'fault 1007 WIRE_INFLATE'],
    ['a stored block whose length is not confirmed', '0005000000', 'fault 1007 WIRE_INFLATE'],
    ['bytes behind the final block', 'f348cdc9c9070061', 'fault 1007 WIRE_INFLATE'],
    ['two zeros behind the final block', 'f348cdc9c907000000', 'fault 1007 WIRE_INFLATE'],
    ['a second stream behind the final block', 'f348cdc9c90700f348cdc9c90700', 'fault 1007 WIRE_INFLATE'],
  ] as const
  for (const [name, payload, expected] of rows) {
    test(name, () => {
      const length = (0x80 | (payload.length / 2)).toString(16)
      assert.deepEqual(decode([hex(`c1${length} ${zero} ${payload}`)], { inflate }), [expected])
    })
  }

  test('text that is not UTF-8 once inflated', () => {
    assert.deepEqual(decode([compressed(Buffer.from('ff', 'hex'))], { inflate }), ['fault 1007 WIRE_TEXT_UTF8'])
  })

  test('binary is not checked', () => {
    assert.deepEqual(decode([compressed(Buffer.from('ff', 'hex'), OPCODE.binary)], { inflate }), ['binary ff'])
  })
})

test('what is deflated is inflated, in any window, and carries no tail', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.integer({ min: 9, max: 15 }), (text, windowBits) => {
      const payload = Buffer.from(text)
      const message = deflateMessage(payload, windowBits)
      assert.notEqual(message.subarray(-4).toString('hex'), '0000ffff')
      assert.deepEqual(inflate(message, payload.length), payload)
    }),
  )
})

test('hostile bytes never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      const inflated = inflate(Buffer.from(bytes), 1024)
      assert.ok(Buffer.isBuffer(inflated) ? inflated.length <= 1024 : inflated.closeCode > 1002)
    }),
  )
})
