import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Decoder, deflateMessage, inflateMessage, type WireSink } from '../../src/wire/index.ts'

const LIMITS = { frameBytes: 100, messageBytes: 100, fragments: 4 }
const sinkOf = (told: string[]): WireSink => ({
  text: (bytes, start, end) => void told.push(bytes.toString('latin1', start, end)),
  binary: () => void told.push('binary'),
  pinged: () => void told.push('ping'),
  ponged: () => void told.push('pong'),
  closing: code => void told.push(`close ${code}`),
  fault: fault => void told.push(fault.code),
})

describe('a decoder is turned to another stream', () => {
  const rows: readonly (readonly [name: string, hex: string, idle: boolean, ended?: boolean])[] = [
    ['at its start', '', true],
    ['after a message', '810161', true],
    ['after a ping', '8900', true],
    ['not within a header', '81', false],
    ['not within a payload', '810261', false],
    ['not between fragments', '010161', false],
    ['not between fragments of nothing', '0100', false],
    ['not within a control frame', '890261', false],
    ['not after a close frame', '880203e8', false, true],
    ['not after a fault', 'f100', false, true],
    ['not after a mask that a server may not send', '8180', false, true],
  ]
  for (const [name, hex, idle, ended = false] of rows) {
    it(name, () => {
      const [before, after]: [string[], string[]] = [[], []]
      const decoder = new Decoder({ peer: 'server', limits: LIMITS }, sinkOf(before))
      decoder.push(Buffer.from(hex, 'hex'))
      assert.equal(decoder.idle, idle)
      assert.equal(decoder.ended, ended)
      const turn = (): void => decoder.serve(sinkOf(after), { ...LIMITS, messageBytes: 1 }, undefined)
      if (!idle) {
        assert.throws(turn, /not idle/)
        return
      }
      const heard = [...before]
      turn()
      // Whole from its first byte, and within the new bound.
      decoder.push(Buffer.from('890081016281026363', 'hex'))
      assert.deepEqual(after, ['ping', 'b', 'WIRE_MESSAGE_TOO_BIG'])
      assert.deepEqual(before, heard)
    })
  }

  const told = (limits: Partial<typeof LIMITS>, hex: string): readonly string[] => {
    const after: string[] = []
    const decoder = new Decoder({ peer: 'server', limits: LIMITS }, sinkOf([]))
    decoder.serve(sinkOf(after), { ...LIMITS, ...limits }, undefined)
    decoder.push(Buffer.from(hex, 'hex'))
    return after
  }
  it('whose frames have their own bound', () => {
    assert.deepEqual(told({ frameBytes: 1 }, '81016181026262'), ['a', 'WIRE_FRAME_TOO_BIG'])
  })
  it('whose fragments have their own bound', () => {
    assert.deepEqual(told({ fragments: 1 }, '810161010162800163'), ['a', 'WIRE_FRAGMENTS'])
  })

  it('that is read although the one before was paused', () => {
    const after: string[] = []
    const decoder = new Decoder({ peer: 'server', limits: LIMITS }, sinkOf([]))
    decoder.pause()
    decoder.serve(sinkOf(after), LIMITS, undefined)
    assert.equal(decoder.push(Buffer.from('810161', 'hex')), 3)
    assert.deepEqual(after, ['a'])
  })

  const payload = deflateMessage(Buffer.from('Hello'), 15)
  const compressed = Buffer.concat([Buffer.from([0xc1, payload.length]), payload])
  for (const [name, before, inflate, expected] of [
    ['that is compressed, after one that was not', undefined, inflateMessage, 'Hello'],
    ['that is not compressed, after one that was', inflateMessage, undefined, 'WIRE_RESERVED_BITS'],
  ] as const) {
    it(name, () => {
      const after: string[] = []
      const decoder = new Decoder({ peer: 'server', limits: LIMITS, inflate: before }, sinkOf([]))
      decoder.serve(sinkOf(after), LIMITS, inflate)
      decoder.push(Buffer.from(compressed))
      assert.deepEqual(after, [expected])
    })
  }
})
