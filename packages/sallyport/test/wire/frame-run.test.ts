import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Decoder, FIN, frameSize, OPCODE, type WireLimits, type WireSink, writeFrame } from '../../src/wire/index.ts'
import { FrameRun } from '../../src/wire/frame-run.ts'
import { BOUNDS } from './differential.ts'
import { decode, hex, recorder, singly, UNBOUNDED } from './decoding.ts'
import { randomCuts, randomStream, seeded } from './random-stream.ts'

interface RunRecorder extends WireSink {
  readonly heard: string[]
  /** How many messages each run held. */
  readonly runs: number[]
}

/** A recorder that takes frames: what they hold is read from them again, and must be written again just as they lay. */
function runRecorder(): RunRecorder {
  const told = recorder()
  const runs: number[] = []
  return {
    ...told,
    runs,
    takesFrames: true,
    frames(bytes, start, end, messages, payloadBytes) {
      runs.push(messages)
      const written = Buffer.alloc(end - start)
      let at = 0
      let payload = 0
      let count = 0
      const again = (opcode: number) => (from: Buffer, first: number, last: number) => {
        at = writeFrame(written, at, FIN | opcode, from, first, last)
        payload += last - first
        count++
        told[opcode === OPCODE.text ? 'text' : 'binary'](from, first, last, false)
      }
      const never = (): never => assert.fail('only whole messages are in a run')
      const reader = new Decoder(
        { peer: 'server', limits: UNBOUNDED },
        {
          text: again(OPCODE.text),
          binary: again(OPCODE.binary),
          pinged: never,
          ponged: never,
          closing: never,
          fault: never,
        },
      )
      const lay = Buffer.from(bytes.subarray(start, end))
      reader.push(lay)
      assert.deepEqual([count, payload, reader.midway], [messages, payloadBytes, false])
      assert.equal(at, written.length)
      assert.ok(written.equals(lay), 'a server would write it in another way')
    },
  }
}

function decodeRuns(chunks: readonly Buffer[], limits: WireLimits = UNBOUNDED): RunRecorder {
  const sink = runRecorder()
  const decoder = new Decoder({ peer: 'server', limits }, sink)
  for (const chunk of chunks) decoder.push(Buffer.from(chunk))
  return sink
}

const plainly = (chunks: readonly Buffer[], limits: WireLimits): string[] => decode(chunks, { peer: 'server', limits })

test('6 000 random streams in random cuts, right and broken: the same is heard by frames and one by one', () => {
  let inRuns = 0
  for (let seed = 1; seed <= 6000; seed++) {
    const random = seeded(seed)
    const chunks = randomCuts(random, randomStream(random, false, 1 + random(20)).bytes)
    const sink = decodeRuns(chunks, BOUNDS)
    assert.deepEqual(sink.heard, plainly(chunks, BOUNDS), `seed ${seed}`)
    for (const messages of sink.runs) inRuns += messages
  }
  assert.ok(inRuns > 6000, `${inRuns} messages came in runs`)
})

const frameOf = (opcode: number, payload: Buffer): Buffer => {
  const frame = Buffer.alloc(frameSize(payload.length))
  writeFrame(frame, 0, FIN | opcode, payload)
  return frame
}
const text = (length: number, byte = 0x61): Buffer => frameOf(OPCODE.text, Buffer.alloc(length, byte))
const A = hex('8101 61')

describe('what is in a run, and what ends it', () => {
  const rows: readonly [name: string, bytes: Buffer, messages: number, rest: readonly string[]][] = [
    ['texts and binaries one behind the other', Buffer.concat([A, hex('8201 ff'), A, text(126)]), 4, []],
    ['an empty text, an empty binary', hex('8100 8200'), 2, []],
    ['a short text that is not ASCII', Buffer.concat([A, frameOf(1, Buffer.from('é'))]), 2, []],
    ['text that is not ASCII', Buffer.concat([A, frameOf(1, Buffer.from('é€😀'.repeat(30)))]), 2, []],
    ['125, 126, 127 and 65535 bytes', Buffer.concat([125, 126, 127, 65535].map(length => text(length))), 4, []],
    ['159, 160 and 161 bytes', Buffer.concat([159, 160, 161].map(length => text(length))), 3, []],
    ['64-bit lengths are for the decoder', Buffer.concat([A, text(65536)]), 1, [`text ${'a'.repeat(65536)}`]],
    ['a length in too long a form', hex('8101 61 817e 0001 61'), 1, ['fault 1002 WIRE_LENGTH_FORM']],
    [
      '125 in the form of 126',
      Buffer.concat([A, hex('817e007d'), Buffer.alloc(125, 'a')]),
      1,
      ['fault 1002 WIRE_LENGTH_FORM'],
    ],
    ['a masked frame', hex('8101 61 8181 00000000 61'), 1, ['fault 1002 WIRE_MASK_FORBIDDEN']],
    ['a reserved bit', hex('8101 61 c101 61'), 1, ['fault 1002 WIRE_RESERVED_BITS']],
    ['a reserved opcode', hex('8101 61 8301 61'), 1, ['fault 1002 WIRE_OPCODE']],
    ['a continuation of nothing', hex('8101 61 8001 61'), 1, ['fault 1002 WIRE_CONTINUATION_UNEXPECTED']],
    ['a message in two fragments', hex('8101 61 0101 62 8001 63'), 1, ['text bc']],
    ['a ping between', hex('8101 61 8900'), 1, ['ping ']],
    ['a close behind it', hex('8201 61 8800'), 1, ['close 1005 ']],
    ['broken UTF-8, short', hex('8101 61 8101 ff'), 1, ['fault 1007 WIRE_TEXT_UTF8']],
    ['a surrogate', hex('8101 61 8103 eda080'), 1, ['fault 1007 WIRE_TEXT_UTF8']],
    ['broken UTF-8, long', Buffer.concat([A, text(200, 0xff), A]), 1, ['fault 1007 WIRE_TEXT_UTF8']],
    [
      'a character cut by the frame',
      Buffer.concat([A, frameOf(1, Buffer.from('€'.repeat(60)).subarray(0, 179))]),
      1,
      ['fault 1007 WIRE_TEXT_UTF8'],
    ],
    ['a frame that is cut', hex('8101 61 8102 61'), 1, []],
    ['a header that is cut', hex('8101 61 817e00'), 1, []],
    ['one byte of a header', hex('8101 61 81'), 1, []],
  ]
  for (const [name, bytes, messages, rest] of rows) {
    test(name, () => {
      const sink = decodeRuns([bytes])
      assert.equal(sink.runs[0], messages)
      assert.deepEqual(sink.heard.slice(messages), rest)
      assert.deepEqual(sink.heard, plainly([bytes], UNBOUNDED))
      assert.deepEqual(decodeRuns(singly(bytes)).heard, sink.heard, 'byte by byte')
    })
  }
})

describe('a bound is the decoder’s, and no run goes past it', () => {
  const too = { frameBytes: 'WIRE_FRAME_TOO_BIG', messageBytes: 'WIRE_MESSAGE_TOO_BIG' }
  for (const bound of ['frameBytes', 'messageBytes'] as const) {
    for (const [length, last] of [
      [99, 'text'],
      [100, 'text'],
      [101, 'fault'],
    ] as const) {
      test(`${length} bytes under ${bound} of 100`, () => {
        const sink = decodeRuns([Buffer.concat([A, text(length)])], { ...UNBOUNDED, [bound]: 100 })
        assert.deepEqual(sink.runs, [last === 'text' ? 2 : 1])
        const denied = `fault 1009 ${too[bound]}`
        assert.deepEqual(sink.heard.slice(1), [last === 'text' ? `text ${'a'.repeat(length)}` : denied])
      })
    }
  }

  test('the greatest message that the owner set holds for the next run', () => {
    const sink = runRecorder()
    const decoder = new Decoder({ peer: 'server', limits: UNBOUNDED }, sink)
    decoder.messageBytes = 1
    decoder.push(Buffer.concat([A, text(2)]))
    assert.deepEqual(sink.heard, ['text a', 'fault 1009 WIRE_MESSAGE_TOO_BIG'])
  })
})

describe('who takes frames', () => {
  test('pauses from within: the run that it was given is read, nothing behind it', () => {
    const sink = runRecorder()
    const decoder: Decoder = new Decoder(
      { peer: 'server', limits: UNBOUNDED },
      { ...sink, frames: (...run) => (sink.frames?.(...run), decoder.pause()) },
    )
    const bytes = hex('8101 61 8900 8101 62')
    assert.equal(decoder.push(bytes), 3)
    decoder.resume()
    assert.equal(decoder.push(bytes, 3), bytes.length)
    assert.deepEqual(sink.heard, ['text a', 'ping ', 'text b'])
  })

  test('may take none for now', () => {
    let takes = false
    const sink = runRecorder()
    const asked = Object.defineProperty({ ...sink }, 'takesFrames', { get: () => takes })
    const decoder = new Decoder({ peer: 'server', limits: UNBOUNDED }, asked)
    decoder.push(Buffer.concat([A, A]))
    assert.deepEqual(sink.runs, [])
    takes = true
    decoder.push(Buffer.concat([A, A]))
    assert.deepEqual(sink.runs, [2])
    assert.deepEqual(sink.heard, ['text a', 'text a', 'text a', 'text a'])
  })

  test('gets no frames of a client: they are masked', () => {
    const sink = runRecorder()
    const decoder = new Decoder({ peer: 'client', limits: UNBOUNDED }, sink)
    decoder.push(hex('8181 00000000 61'))
    decoder.push(hex('8101 61'))
    assert.deepEqual([sink.runs, sink.heard], [[], ['text a', 'fault 1002 WIRE_MASK_MISSING']])
  })
})

test('what was measured before is forgotten', () => {
  const run = new FrameRun()
  assert.equal(run.measure(hex('8101 61 8200'), 0, 5, 100), true)
  assert.deepEqual([run.end, run.messages, run.payloadBytes], [5, 2, 1])
  assert.equal(run.measure(hex('8900'), 0, 2, 100), false)
  assert.deepEqual([run.end, run.messages, run.payloadBytes], [0, 0, 0])
})
