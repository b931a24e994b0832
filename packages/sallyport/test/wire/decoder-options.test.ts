import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decoder } from '../../src/wire/index.ts'

const limits = { frameBytes: 10, messageBytes: 10, fragments: 2 }
const nothing = (): undefined => undefined
const sink = { text: nothing, binary: nothing, pinged: nothing, ponged: nothing, closing: nothing, fault: nothing }
const options = { peer: 'client', limits }

const MISTAKES: readonly (readonly [name: string, options: unknown, sink: unknown, message: RegExp])[] = [
  ['nothing', undefined, sink, /options is undefined; write \{ peer, limits \}/],
  ['null', null, sink, /options is null/],
  ['no peer', { limits }, sink, /peer is undefined; write 'client' or 'server'/],
  ['a misspelt peer, whose frames would need no mask', { peer: 'cleint', limits }, sink, /peer is "cleint"/],
  ['no limits', { peer: 'client' }, sink, /limits\.frameBytes is undefined; write a number of 0 or more/],
  [
    'a misspelt limit, which would hold nothing back',
    { peer: 'client', limits: { ...limits, fragments: undefined, fragment: 2 } },
    sink,
    /limits\.fragments is undefined/,
  ],
  [
    'a limit as text',
    { peer: 'client', limits: { ...limits, messageBytes: '10' } },
    sink,
    /limits\.messageBytes is "10"/,
  ],
  [
    'a limit that is not a number',
    { peer: 'client', limits: { ...limits, frameBytes: Number.NaN } },
    sink,
    /limits\.frameBytes is NaN/,
  ],
  [
    'a limit that is an object',
    { peer: 'client', limits: { ...limits, frameBytes: {} } },
    sink,
    /limits\.frameBytes is an object/,
  ],
  [
    'a limit below nothing',
    { peer: 'client', limits: { ...limits, frameBytes: -1 } },
    sink,
    /limits\.frameBytes is -1/,
  ],
  ['an invalid inflate', { ...options, inflate: true }, sink, /inflate is true; write a function/],
  ['no sink', options, undefined, /text of the sink is undefined; write a function/],
  ['a sink without a listener for faults', options, { ...sink, fault: undefined }, /fault of the sink is undefined/],
]

for (const [name, given, listener, message] of MISTAKES) {
  test(`Decoder: ${name} is an error before a byte is read`, () => {
    assert.throws(() => new Decoder(given as never, listener as never), { name: 'TypeError', message })
  })
}

for (const bound of [0, 1, Infinity])
  test(`Decoder: bounds of ${bound} are taken`, () => {
    const all = { frameBytes: bound, messageBytes: bound, fragments: bound }
    assert.equal(new Decoder({ peer: 'server', limits: all }, sink).messageBytes, bound)
  })
