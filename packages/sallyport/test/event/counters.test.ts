import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { createCounters } from '../../src/event/counters.ts'
import { exposition } from '../../src/event/exposition.ts'
import { DENIALS } from '../../src/policy/denials.ts'
import type { DenialCode } from '../../src/policy/denials.ts'

const ORIGIN = ['handshake/origin', 'SALLY_ORIGIN_NOT_ALLOWED'] as const

describe('counters', () => {
  it('count connections, messages, bytes and tickets', () => {
    const counters = createCounters()
    counters.opened('/ws')
    counters.opened('/ws?ticket=secret')
    counters.closed()
    counters.messageIn(10)
    counters.messageIn(5)
    counters.messageOut(7)
    counters.messageOut(30, 3)
    counters.ticketIssued()
    counters.listenerFailed()
    counters.logFailed()
    assert.deepEqual(counters.snapshot(), {
      denials: [],
      opened: 2,
      closed: 1,
      open: 1,
      openedByRoute: { '/ws': 2 },
      messagesIn: 2,
      messagesOut: 4,
      bytesIn: 15,
      bytesOut: 37,
      ticketsIssued: 1,
      reporting: [],
      listenerFailures: 1,
      logFailures: 1,
    })
  })

  it('a snapshot does not change afterwards', () => {
    const counters = createCounters(['/ws'])
    counters.denied(...ORIGIN, '/ws', true)
    const before = counters.snapshot()
    counters.denied(...ORIGIN, '/ws', true)
    assert.equal(before.denials[0]?.count, 1)
  })

  for (const { row, routes, path, expected } of [
    { row: 'a declared route', routes: ['/ws'], path: '/ws', expected: '/ws' },
    { row: 'a declared route with a query', routes: ['/ws'], path: '/ws?a', expected: '/ws' },
    { row: 'an undeclared path', routes: ['/ws'], path: '/attack', expected: 'other' },
    { row: 'a path nobody was accepted on', routes: null, path: '/attack', expected: 'other' },
    { row: 'no declared route at all', routes: [], path: '/ws', expected: 'other' },
  ])
    it(`a denial on ${row} counts as ${expected}`, () => {
      const counters = createCounters(routes)
      counters.denied(...ORIGIN, path, true)
      assert.equal(counters.snapshot().denials[0]?.route, expected)
    })

  for (const { row, paths, expected } of [
    { row: 'one below', paths: 31, expected: 31 },
    { row: 'at', paths: 32, expected: 32 },
    { row: 'far above', paths: 1000, expected: 33 },
  ])
    it(`learns routes from accepted connections: ${row} the bound`, () => {
      const counters = createCounters()
      for (let path = 0; path < paths; path++) counters.opened(`/${path}`)
      assert.equal(Object.keys(counters.snapshot().openedByRoute).length, expected)
      assert.equal(counters.snapshot().opened, paths)
    })

  it('100 000 hostile paths make one series a code', () => {
    const counters = createCounters()
    for (let path = 0; path < 100_000; path++) counters.denied(...ORIGIN, `/${path}`, true)
    assert.deepEqual(counters.snapshot().denials, [
      { control: 'handshake/origin', code: 'SALLY_ORIGIN_NOT_ALLOWED', route: 'other', enforced: true, count: 100_000 },
    ])
  })

  it('foreign control ids cannot grow the table without end', () => {
    const counters = createCounters()
    for (let id = 0; id < 9000; id++) counters.denied(`message/${id}`, 'SALLY_MESSAGE_TYPE', '/', true)
    const { denials } = counters.snapshot()
    assert.equal(denials.length, 8193)
    assert.equal(denials.find(denial => denial.control === 'other')?.count, 808)
  })

  it('every code on every route, enforced or not, has its own series', () => {
    const counters = createCounters()
    for (let path = 0; path < 32; path++) counters.opened(`/${path}`)
    const codes = Object.keys(DENIALS) as DenialCode[]
    for (const code of codes)
      for (let path = 0; path < 33; path++)
        for (const enforced of [true, false]) counters.denied(DENIALS[code].control, code, `/${path}`, enforced)
    assert.equal(counters.snapshot().denials.length, codes.length * 33 * 2)
  })
})

describe('the Prometheus text', () => {
  it('is the exposition format', () => {
    const counters = createCounters(['/ws'])
    counters.denied(...ORIGIN, '/ws', true)
    counters.denied(...ORIGIN, '/ws', false)
    counters.opened('/ws')
    const text = counters.prometheus()
    for (const line of [
      '# HELP sallyport_denials_total Denials by control, code and route; enforced is false in report mode.',
      '# TYPE sallyport_denials_total counter',
      'sallyport_denials_total{control="handshake/origin",code="SALLY_ORIGIN_NOT_ALLOWED",route="/ws",enforced="true"} 1',
      'sallyport_denials_total{control="handshake/origin",code="SALLY_ORIGIN_NOT_ALLOWED",route="/ws",enforced="false"} 1',
      '# TYPE sallyport_connections_open gauge',
      'sallyport_connections_open 1',
      'sallyport_messages_total{direction="in"} 0',
    ])
      assert.ok(text.split('\n').includes(line), line)
    assert.ok(text.endsWith('\n'))
  })

  it('escapes quotes, backslashes and line ends of a label', () => {
    const text = exposition({ ...createCounters().snapshot(), openedByRoute: { 'a"b\\c\nd': 1 } })
    assert.ok(text.includes(String.raw`sallyport_connections_opened_total{route="a\"b\\c\nd"} 1`), text)
  })

  it('every line is a comment or a sample, whatever an accepted path holds', () => {
    const sample = /^[a-z_]+(?:\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z]+="(?:[^"\\\n]|\\[\\"n])*")*\})? \d+$/
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), paths => {
        const counters = createCounters()
        for (const path of [...paths, '/a"} 1\nsallyport_forged 1', '/\\']) {
          counters.opened(path)
          counters.denied(...ORIGIN, path, true)
        }
        for (const line of counters.prometheus().trimEnd().split('\n'))
          assert.ok(line.startsWith('# ') || sample.test(line), line)
      }),
    )
  })
})
