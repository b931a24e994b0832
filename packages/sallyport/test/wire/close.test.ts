import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { closePayload, FAULTS, isSendableCloseCode, readClose } from '../../src/wire/index.ts'

describe('closePayload', () => {
  const rows = [
    ['a code', 1000, '', '03e8'],
    ['a code and a reason', 4401, 'sign in', '11317369676e20696e'],
    ['1005 says nothing', 1005, 'x', ''],
    ['1006 says nothing', 1006, '', ''],
    ['a code no number can be', Number.NaN, 'x', ''],
    ['123 bytes of reason', 1000, 'a'.repeat(123), `03e8${'61'.repeat(123)}`],
    ['124 are cut', 1000, 'a'.repeat(124), `03e8${'61'.repeat(123)}`],
    ['cut at a character', 1000, `${'a'.repeat(122)}é`, `03e8${'61'.repeat(122)}`],
  ] as const
  for (const [name, code, reason, expected] of rows) {
    test(name, () => assert.equal(closePayload(code, reason).toString('hex'), expected))
  }

  test('what is written is read', () => {
    const payload = closePayload(4999, 'é€😀')
    assert.deepEqual(readClose(payload, 0, payload.length), { code: 4999, reason: 'é€😀' })
  })
})

describe('readClose', () => {
  const rows = [
    ['', { code: 1005, reason: '' }],
    ['03', FAULTS.WIRE_CLOSE_LENGTH],
    ['03e8', { code: 1000, reason: '' }],
    ['03ed', FAULTS.WIRE_CLOSE_CODE],
    ['03e8ff', FAULTS.WIRE_CLOSE_UTF8],
  ] as const
  for (const [bytes, expected] of rows) {
    test(JSON.stringify(bytes), () => {
      const within = Buffer.from(`ffff${bytes}ffff`, 'hex')
      assert.deepEqual(readClose(within, 2, within.length - 2), expected)
    })
  }
})

test('every code of RFC 6455 §7.4, and no other, is sendable', () => {
  const sendable = Array.from({ length: 65537 }, (_, code) => code).filter(isSendableCloseCode)
  const registered = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
  assert.deepEqual(sendable, [...registered, ...Array.from({ length: 2000 }, (_, index) => 3000 + index)])
})

test('a fault tells its code, a status code to close with, and the rule', () => {
  for (const [code, fault] of Object.entries(FAULTS)) {
    assert.equal(fault.code, code)
    assert.ok(isSendableCloseCode(fault.closeCode))
    assert.match(fault.message, /RFC (?:6455|7692) §/)
    assert.ok(Object.isFrozen(fault))
  }
  assert.ok(Object.isFrozen(FAULTS))
})
