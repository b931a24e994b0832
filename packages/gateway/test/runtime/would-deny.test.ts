import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SallyEvent } from 'sallyport'
import { createWouldDeny } from '../../src/runtime/would-deny.ts'

const event = (over: Partial<SallyEvent>): SallyEvent => ({
  kind: 'denial',
  datetime: '2026-01-01T00:00:00.000Z',
  appid: 'app',
  event: 'malicious_cors',
  level: 'warn',
  description: '',
  control: 'handshake/origin',
  code: 'SALLY_ORIGIN_NOT_ALLOWED',
  enforced: false,
  remedy: 'add it',
  ...over,
})

test('what would have been denied is counted, with the exact values to allow', () => {
  const counts = createWouldDeny()
  for (const origin of ['https://a.example', 'https://b.example', 'https://b.example'])
    counts.note('chat', event({ origin }))
  counts.note('chat', event({ control: 'handshake/host', code: 'SALLY_HOST_NOT_SERVED', hostname: 'x.example' }))
  counts.note('chat', event({ control: 'handshake/session', code: 'SALLY_SESSION_MISSING' }))
  counts.note('chat', event({ control: 'handshake/transport', code: 'SALLY_TRANSPORT_INSECURE', source_ip: '6.6.6.6' }))
  const [origins, host, session, transport] = counts.list()
  assert.equal(origins?.count, 3)
  assert.equal(origins?.key, 'handshake.origin.allow')
  assert.deepEqual(origins?.values, [
    { value: 'https://b.example', count: 2 },
    { value: 'https://a.example', count: 1 },
  ])
  assert.deepEqual([host?.key, host?.values[0]?.value], ['handshake.host.allow', 'x.example'])
  // Who is nobody cannot be allowed.
  assert.deepEqual([session?.key, session?.values], [null, []])
  // Nor is whoever comes in clear a proxy to trust.
  assert.deepEqual([transport?.key, transport?.values], [null, []])
})

test('33 values: 32 are told, the rest is counted', () => {
  const counts = createWouldDeny()
  for (let index = 0; index < 33; index++) counts.note('chat', event({ origin: `https://${index}.example` }))
  counts.note('chat', event({ origin: 'https://0.example' }))
  const [row] = counts.list()
  assert.equal(row?.count, 34)
  assert.equal(row?.values.length, 32)
  assert.equal(row?.others, 1)
})
