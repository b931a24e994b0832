import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Decoder, type WireSink } from '../../src/wire/index.ts'

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
  const rows: readonly (readonly [name: string, hex: string, idle: boolean])[] = [
    ['at its start', '', true],
    ['after a message', '810161', true],
    ['after a ping', '8900', true],
    ['not within a header', '81', false],
    ['not within a payload', '810261', false],
    ['not between fragments', '010161', false],
    ['not between fragments of nothing', '0100', false],
    ['not within a control frame', '890261', false],
    ['not after a close frame', '880203e8', false],
    ['not after a fault', 'ff', false],
    ['not after a mask that a server may not send', '8180', false],
  ]
  for (const [name, hex, idle] of rows) {
    it(name, () => {
      const [before, after]: [string[], string[]] = [[], []]
      const decoder = new Decoder({ peer: 'server', limits: LIMITS }, sinkOf(before))
      decoder.push(Buffer.from(hex, 'hex'))
      assert.equal(decoder.idle, idle)
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
})
