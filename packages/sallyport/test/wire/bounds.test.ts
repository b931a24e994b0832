import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Decoder } from '../../src/wire/index.ts'
import { Assembly } from '../../src/wire/assembly.ts'
import { decode, hex, recorder, singly, UNBOUNDED } from './decoding.ts'

const zero = '00000000'

describe('a bound holds at it, below it and above it', () => {
  const rows = [
    ['frame', { frameBytes: 3 }, `8182 ${zero} 6161`, ['text aa']],
    ['frame', { frameBytes: 3 }, `8183 ${zero} 616161`, ['text aaa']],
    ['frame', { frameBytes: 3 }, `8184 ${zero}`, ['fault 1009 WIRE_FRAME_TOO_BIG']],
    ['frame, not message', { frameBytes: 2 }, `0182 ${zero} 6161 8082 ${zero} 6161`, ['text aaaa']],
    ['message', { messageBytes: 3 }, `8182 ${zero} 6161`, ['text aa']],
    ['message', { messageBytes: 3 }, `8183 ${zero} 616161`, ['text aaa']],
    ['message', { messageBytes: 3 }, `8184 ${zero}`, ['fault 1009 WIRE_MESSAGE_TOO_BIG']],
    ['message of fragments', { messageBytes: 3 }, `0182 ${zero} 6161 8081 ${zero} 61`, ['text aaa']],
    [
      'message of fragments',
      { messageBytes: 3 },
      `0182 ${zero} 6161 8082 ${zero}`,
      ['fault 1009 WIRE_MESSAGE_TOO_BIG'],
    ],
    ['each message again', { messageBytes: 1 }, `8181 ${zero} 61 8181 ${zero} 62`, ['text a', 'text b']],
    ['control frames are no message', { messageBytes: 0 }, `8981 ${zero} 61`, ['ping 61']],
    ['nor a data frame', { frameBytes: 0 }, `8981 ${zero} 61`, ['ping 61']],
    ['fragments', { fragments: 3 }, `0180 ${zero} 8080 ${zero}`, ['text ']],
    ['fragments', { fragments: 3 }, `0180 ${zero} 0080 ${zero} 8080 ${zero}`, ['text ']],
    [
      'fragments',
      { fragments: 3 },
      `0180 ${zero} 0080 ${zero} 0080 ${zero} 0080 ${zero}`,
      ['fault 1009 WIRE_FRAGMENTS'],
    ],
    ['fragments anew', { fragments: 1 }, `8180 ${zero} 8180 ${zero}`, ['text ', 'text ']],
  ] as const
  for (const [name, limits, bytes, expected] of rows) {
    test(`${name}: ${expected.at(-1)}`, () => {
      assert.deepEqual(decode([hex(bytes)], { limits }), expected)
      assert.deepEqual(decode(singly(hex(bytes)), { limits }), expected)
    })
  }
})

describe('a header alone refuses', () => {
  const rows = [
    ['4 GiB announced', `82ff0000000100000000 ${zero}`, 'fault 1009 WIRE_FRAME_TOO_BIG'],
    ['reserved bits, after two bytes', 'f180', 'fault 1002 WIRE_RESERVED_BITS'],
    ['no mask, after two bytes', '8101', 'fault 1002 WIRE_MASK_MISSING'],
    ['a long ping, after two bytes', '89ff', 'fault 1002 WIRE_CONTROL_LENGTH'],
    ['RSV1 without deflate, after two bytes', 'c180', 'fault 1002 WIRE_RESERVED_BITS'],
    ['a close of one byte, after two bytes', '8881', 'fault 1002 WIRE_CLOSE_LENGTH'],
  ] as const
  for (const [name, bytes, expected] of rows) {
    test(name, () => assert.deepEqual(decode(singly(hex(bytes)), { limits: { frameBytes: 65536 } }), [expected]))
  }
})

test('the longest header comes byte by byte, its key to the last byte', () => {
  const plain = Buffer.alloc(65536, 0x61)
  const hidden = plain.map((byte, index) => byte ^ ((index & 3) + 1))
  const header = singly(hex('82ff 0000000000010000 01020304'))
  assert.deepEqual(decode([...header, Buffer.from(hidden)]), [`binary ${plain.toString('hex')}`])
})

test('a length of 64 bits is read to its last bit', () => {
  for (const [length, announced] of [
    [2 ** 32 - 1, '00000000ffffffff'],
    [2 ** 32, '0000000100000000'],
    [2 ** 32 + 1, '0000000100000001'],
    [2 ** 53 - 1, '001fffffffffffff'],
  ] as const) {
    const header = hex(`82ff${announced} ${zero}`)
    assert.deepEqual(decode([header], { limits: { frameBytes: length } }), [], `${length} at the bound`)
    const above = decode([header], { limits: { frameBytes: length - 1 } })
    assert.deepEqual(above, ['fault 1009 WIRE_FRAME_TOO_BIG'], `${length} above it`)
  }
})

describe('memory', () => {
  test('what is held is at most twice what was received, whatever was announced', () => {
    const assembly = new Assembly()
    const byte = Buffer.from('a')
    const grown = new Set<Buffer>()
    for (let received = 1; received <= 5000; received++) {
      assembly.append(byte, 0, 1)
      grown.add(assembly.bytes)
      assert.ok(assembly.bytes.length <= Math.max(512, 2 * received), `${assembly.bytes.length} for ${received}`)
    }
    assert.equal(assembly.bytes.toString('latin1', 0, assembly.length), 'a'.repeat(5000))
    assert.ok(grown.size <= 5, `moved ${grown.size} times: each byte must not cost those before it`)
  })

  test('nothing is held while nothing was received', () => assert.equal(new Assembly().bytes.length, 0))

  test('a message that lies whole in a chunk is not copied', () => {
    const chunk = hex(`8183 ${zero} 616161`)
    const heard: unknown[] = []
    const sink = { ...recorder(), text: (bytes: Buffer) => heard.push(bytes) }
    new Decoder({ peer: 'client', limits: UNBOUNDED }, sink).push(chunk)
    assert.equal(heard[0], chunk)
  })
})

describe('a text message is said to be ASCII only where each byte is', () => {
  const rows = [
    ['in one frame', `8182 ${zero} 6162`, [true]],
    ['in one frame', `8182 ${zero} c3a9`, [false]],
    ['in fragments', `0181 ${zero} 61 8081 ${zero} 62`, [true]],
    ['its first fragment', `0182 ${zero} c3a9 8081 ${zero} 62`, [false]],
    ['its last fragment', `0181 ${zero} 61 8082 ${zero} c3a9`, [false]],
    ['each message again', `0182 ${zero} c3a9 8080 ${zero} 0181 ${zero} 61 8080 ${zero}`, [false, true]],
  ] as const
  for (const [name, bytes, expected] of rows) {
    test(`${name}: ${expected.join()}`, () => {
      for (const chunks of [[hex(bytes)], singly(hex(bytes))]) {
        const heard: boolean[] = []
        const sink = { ...recorder(), text: (...message: [Buffer, number, number, boolean]) => heard.push(message[3]) }
        const decoder = new Decoder({ peer: 'client', limits: UNBOUNDED }, sink)
        for (const chunk of chunks) decoder.push(chunk)
        assert.deepEqual(heard, expected)
      }
    })
  }

  test('frames of a server, which are not masked, too', () => {
    const heard: boolean[] = []
    const sink = { ...recorder(), text: (...message: [Buffer, number, number, boolean]) => heard.push(message[3]) }
    new Decoder({ peer: 'server', limits: UNBOUNDED }, sink).push(hex('810161 8102c3a9'))
    assert.deepEqual(heard, [true, false])
  })
})

describe('the owner', () => {
  test('sets the greatest message for the next frame', () => {
    const sink = recorder()
    const decoder = new Decoder({ peer: 'client', limits: { ...UNBOUNDED, messageBytes: 1 } }, sink)
    assert.equal(decoder.messageBytes, 1)
    decoder.messageBytes = 2
    decoder.push(hex(`8182 ${zero} 6161`))
    decoder.messageBytes = 1
    decoder.push(hex(`8182 ${zero} 6161`))
    assert.deepEqual(sink.heard, ['text aa', 'fault 1009 WIRE_MESSAGE_TOO_BIG'])
  })

  test('pauses between two frames of a chunk and reads on where it stopped', () => {
    const chunk = hex(`8181 ${zero} 61 8181 ${zero} 62 0181 ${zero} 63 8081 ${zero} 64`)
    const sink = recorder()
    const decoder = new Decoder(
      { peer: 'client', limits: UNBOUNDED },
      {
        ...sink,
        text: (...message) => {
          sink.text(...message)
          decoder.pause()
        },
      },
    )
    const taken = decoder.push(chunk)
    assert.equal(taken, 7)
    assert.equal(decoder.push(chunk, taken), 7, 'still paused')
    decoder.resume()
    assert.equal(decoder.push(chunk, taken), 14)
    decoder.resume()
    assert.equal(decoder.push(chunk, 14), 28)
    assert.deepEqual(sink.heard, ['text a', 'text b', 'text cd'])
  })

  test('reads a part of a buffer and leaves the rest as it was', () => {
    const chunk = hex(`ffff 8181 01010101 60 ffff`)
    const sink = recorder()
    const decoder = new Decoder({ peer: 'client', limits: UNBOUNDED }, sink)
    assert.equal(decoder.push(chunk, 2, 9), 9)
    assert.deepEqual(sink.heard, ['text a'])
    assert.equal(chunk.toString('hex'), 'ffff81810101010161ffff')
  })

  test('cannot resume what has ended', () => {
    const sink = recorder()
    const decoder = new Decoder({ peer: 'client', limits: UNBOUNDED }, sink)
    assert.equal(decoder.push(hex(`8880 ${zero} ffff`)), 8, 'what follows a close is taken and not read')
    decoder.resume()
    assert.equal(decoder.push(hex(`8181 ${zero} 61`)), 7)
    assert.deepEqual(sink.heard, ['close 1005 '])
  })

  test('is told whether a frame or message is midway', () => {
    const decoder = new Decoder({ peer: 'client', limits: UNBOUNDED }, recorder())
    const seen = singly(hex(`0181 ${zero} 61 8081 ${zero} 62`)).map(byte => {
      decoder.push(byte)
      return decoder.midway
    })
    assert.deepEqual(seen, [...Array.from({ length: 13 }, () => true), false])
  })

  test('is told that a ping is midway', () => {
    const decoder = new Decoder({ peer: 'client', limits: UNBOUNDED }, recorder())
    assert.equal(decoder.midway, false)
    decoder.push(hex(`8981 ${zero}`))
    assert.equal(decoder.midway, true)
    decoder.push(hex('61'))
    assert.equal(decoder.midway, false)
  })
})
