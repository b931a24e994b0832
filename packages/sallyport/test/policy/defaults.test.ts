import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf } from '../../src/policy/control-row.ts'
import { DEFINITIONS } from '../../src/policy/definitions.ts'
import { ROOT_KEYS } from '../../src/policy/root-keys.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Policy } from '../../src/policy/types.ts'
import { policyWith } from './honest-policy.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const perMinute = (amount: number): object => ({ amount, perMs: MINUTE, burst: amount })
const page = Object.assign(() => null, {})
const policy = parsePolicy(policyWith({ 'handshake.session': page }))
const { handshake, message, lifetime } = policy

/** The table of the design: what each control is when nothing is said. */
// biome-ignore format: a table is read by its rows
const TABLE: readonly (readonly [control: string, effective: unknown, stated: unknown])[] = [
  ['handshake/transport: on', handshake.transport, {}],
  ['handshake/host: hosts of the origins', handshake.host, { names: ['app.company.com'] }],
  ['handshake/request: on', handshake.request, { headerBytes: 16_384, headers: 64, targetBytes: 2048 }],
  ['handshake/origin: as decided, none missing', handshake.origin, { allow: ['https://app.company.com'], allowMissing: false }],
  ['handshake/fetch-metadata: on', handshake['fetch-metadata'], {}],
  ['handshake/subprotocol: on', handshake.subprotocol, { serve: ['sallyport.v1'], required: false }],
  ['handshake/extensions: off', handshake.extensions, null],
  ['handshake/rate: strangers 100/min/IP, 30 000/min in all; 60/min/user, burst 40', handshake.rate, { perIp: perMinute(100), perUser: { ...perMinute(60), burst: 40 }, total: perMinute(30_000) }],
  ['handshake/connections: 10 000 / 1 000, strangers 100 / 30', handshake.connections, { total: 10_000, perIp: 1000, strangersPerIp: 100, perUser: 30 }],
  ['handshake/session: as decided', handshake.session, page],
  ['handshake/ticket: on with cookie sessions, 30 s', handshake.ticket, { secrets: null, ttlMs: 30_000, carrier: 'subprotocol', parameter: 'ticket', paths: null, csrf: null }],
  ['handshake/authorize: none', handshake.authorize, null],
  ['message/size: 64 KiB, 64 fragments', message.size, { bytes: 65_536, fragments: 64, unauthenticatedBytes: 4096, controlFrames: perMinute(60) }],
  ['message/rate: 100/min, burst 100', { ...message.rate, cost: { ...message.rate?.cost } }, { messages: perMinute(100), bytes: perMinute(4 * 1024 * 1024), perUser: perMinute(3000), perIp: perMinute(100_000), cost: {}, exceed: 'close' }],
  ['message/format: text JSON, depth 32', message.format, { data: 'json', depth: 32, width: 1024, allowKeys: [], bigIntegers: 'refuse' }],
  ['message/schema: unknown fields are stripped', message.schema?.unknownFields, 'strip'],
  ['message/schema: after N strikes', message.strikes, 5],
  ['message/schema: by type', message.discriminator, 'type'],
  ['message/authorize: declared types are allowed', message.authorize, null],
  ['message/replay: off until declared', message.replay, null],
  ['message/concurrency: 16', message.concurrency, { handlers: 16, background: 1000, countListeners: false }],
  ['message/outbound: off until declared', message.outbound, null],
  ['lifetime/authentication: in first-message mode alone', lifetime.authentication, null],
  ['lifetime/heartbeat: 30 s / 10 s', lifetime.heartbeat, { intervalMs: 30_000, timeoutMs: 10_000 }],
  ['lifetime/idle: 15 min', lifetime.idle, { afterMs: 15 * MINUTE }],
  ['lifetime/age: 12 h', lifetime.age, { maxMs: 12 * 60 * MINUTE }],
  ['lifetime/session: re-check 60 s', lifetime.session, { recheckMs: MINUTE, graceMs: 2 * MINUTE, rememberMs: 30 * 24 * HOUR }],
  ['lifetime/backpressure: 1 MiB, 10 s', lifetime.backpressure, { bytes: 1024 * 1024, forMs: 10_000 }],
  ['lifetime/shutdown: 10 s', lifetime.shutdown, { withinMs: 10_000 }],
  ['no proxy is trusted', policy.proxy, { trust: [], header: 'x-forwarded-for' }],
  ['nothing is only reported', Array.from(policy.report), []],
  ['a control has 5 s', policy.timeoutMs, 5000],
  ['nothing is brought', [policy.store, policy.events], [null, { log: null, hashKey: null, windowMs: 10_000 }]],
  ['nothing is weakened', policy.weakened, []],
  ['name', policy.name, 'sallyport'],
]
for (const [name, effective, stated] of TABLE) test(`default: ${name}`, () => assert.deepEqual(effective, stated))

test('default: the first message has 5 s', () => {
  const first = parsePolicy(policyWith({ 'handshake.ticket': { carrier: 'first-message' } })) satisfies Policy
  assert.deepEqual(first.lifetime.authentication, { deadlineMs: 5000 })
})

test('what a policy gets by default cannot be changed from outside', () => {
  for (const [path, { default: value }] of [
    ...Object.entries(ROOT_KEYS),
    ...DEFINITIONS.flatMap(control => keysOf(control)),
  ] as const)
    assert.ok(Object.isFrozen(value), path)
})
