import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { agreeDeflate, readExtensions } from '../../src/wire/index.ts'

const many = (count: number, by: string): string => Array.from({ length: count }, () => 'x').join(by)

describe('readExtensions', () => {
  const rows = [
    ['foo', [{ name: 'foo', parameters: [] }]],
    [
      'foo, bar',
      [
        { name: 'foo', parameters: [] },
        { name: 'bar', parameters: [] },
      ],
    ],
    ['foo; a', [{ name: 'foo', parameters: [['a', true]] }]],
    [
      'foo;a=1 ;b = x',
      [
        {
          name: 'foo',
          parameters: [
            ['a', '1'],
            ['b', 'x'],
          ],
        },
      ],
    ],
    ['foo; a="1"', [{ name: 'foo', parameters: [['a', '1']] }]],
    ['foo; a="1;2"', null],
    ['foo; a="1,2"', null],
    ['foo; a=""', null],
    ['foo; a="\\1"', null],
    ['foo; a="1', null],
    ['foo; a=', null],
    ['foo; =1', null],
    ['foo;', null],
    ['foo,', null],
    [',foo', null],
    ['', null],
    ['f oo', null],
    ['foo; a b', null],
    ['foo; a=1=2', null],
    ['foo\0', null],
    ['föö', null],
  ] as const
  for (const [header, expected] of rows)
    test(JSON.stringify(header), () => assert.deepEqual(readExtensions(header), expected))

  test('16 offers are read, 17 are not; the same for parameters', () => {
    assert.equal(readExtensions(many(16, ','))?.length, 16)
    assert.equal(readExtensions(many(17, ',')), null)
    assert.equal(readExtensions(`x;${many(16, ';')}`)?.[0]?.parameters.length, 16)
    assert.equal(readExtensions(`x;${many(17, ';')}`), null)
  })

  test('hostile headers never throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), header => void readExtensions(header)))
  })
})

describe('agreeDeflate', () => {
  const takeover = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
  const rows = [
    ['no deflate offered', 'x-webkit-deflate-frame', 15, null],
    ['plain', 'permessage-deflate', 15, takeover],
    ['what Chromium offers', 'permessage-deflate; client_max_window_bits', 15, takeover],
    ['context takeover is never kept', takeover, 15, takeover],
    [
      'server window asked',
      'permessage-deflate; server_max_window_bits=10',
      15,
      `${takeover}; server_max_window_bits=10`,
    ],
    [
      'server window 14 is told',
      'permessage-deflate; server_max_window_bits=14',
      15,
      `${takeover}; server_max_window_bits=14`,
    ],
    ['our bound of 14', 'permessage-deflate; client_max_window_bits', 14, `${takeover}; client_max_window_bits=14`],
    [
      'server window 15 is answered too',
      'permessage-deflate; server_max_window_bits=15',
      15,
      `${takeover}; server_max_window_bits=15`,
    ],
    ['zlib has no window of 8', 'permessage-deflate; server_max_window_bits=8', 15, null],
    ['9 is the least', 'permessage-deflate; server_max_window_bits=9', 15, `${takeover}; server_max_window_bits=9`],
    [
      'client window told',
      'permessage-deflate; client_max_window_bits=12',
      15,
      `${takeover}; client_max_window_bits=12`,
    ],
    [
      'client window of 8 can be read',
      'permessage-deflate; client_max_window_bits=8',
      15,
      `${takeover}; client_max_window_bits=8`,
    ],
    [
      'our bound in both directions',
      'permessage-deflate; client_max_window_bits',
      10,
      `${takeover}; client_max_window_bits=10`,
    ],
    [
      'the smaller of ours and theirs',
      'permessage-deflate; client_max_window_bits=12; server_max_window_bits=9',
      10,
      `${takeover}; server_max_window_bits=9; client_max_window_bits=10`,
    ],
    ['what Firefox offers: neither window can be told', 'permessage-deflate', 10, takeover],
    ['the second offer can be kept', 'permessage-deflate; server_max_window_bits=8, permessage-deflate', 15, takeover],
    ['the offer that can be kept is not the first extension', 'foo, permessage-deflate', 15, takeover],
    ['an unknown parameter', 'permessage-deflate; foo', 15, null],
    ['a repeated parameter', 'permessage-deflate; client_max_window_bits; client_max_window_bits', 15, null],
    ['a value where none belongs', 'permessage-deflate; server_no_context_takeover=1', 15, null],
    ['the same of the client', 'permessage-deflate; client_no_context_takeover=1', 15, null],
    ['no value where one belongs', 'permessage-deflate; server_max_window_bits', 15, null],
    ['a window of 16', 'permessage-deflate; server_max_window_bits=16', 15, null],
    ['a window of 7', 'permessage-deflate; client_max_window_bits=7', 15, null],
    ['a window of 08', 'permessage-deflate; client_max_window_bits=08', 15, null],
    ['a window that is no number', 'permessage-deflate; client_max_window_bits=x', 15, null],
  ] as const
  for (const [name, header, windowBits, expected] of rows) {
    test(name, () => assert.equal(agreeDeflate(readExtensions(header)!, windowBits)?.response ?? null, expected))
  }

  test('tells the window that the server must keep', () => {
    const offers = readExtensions('permessage-deflate; client_max_window_bits=12; server_max_window_bits=11')!
    assert.equal(agreeDeflate(offers, 15)!.serverWindowBits, 11)
    assert.equal(agreeDeflate(offers, 10)!.serverWindowBits, 10)
  })
})
