import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { pino } from 'pino'
import type { Logger, SallyEvent } from '../../src/model/event.ts'
import { createEventLog, type LoggedEvent } from '../../src/event/log.ts'
import { event } from './facts.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { runtimeAt } from '../support/runtime.ts'

const WINDOW = 10_000
interface Line {
  readonly method: 'info' | 'warn' | 'error'
  readonly fields: LoggedEvent
  readonly message: string
}

const recorder = (): { readonly logger: Logger; readonly lines: Line[] } => {
  const lines: Line[] = []
  const write =
    (method: Line['method']) =>
    (fields: object, message: string): void => {
      lines.push({ method, fields: fields as LoggedEvent, message })
    }
  return { lines, logger: { info: write('info'), warn: write('warn'), error: write('error') } }
}

const setUp = () => {
  const { logger, lines } = recorder()
  return { lines, log: createEventLog(logger, WINDOW, systemRuntime) }
}

describe('the event log', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }))
  afterEach(() => mock.timers.reset())
  it('logs the first of a kind at once, counts the rest, and tells the count and the last sample at the end', () => {
    const { log, lines } = setUp()
    log.write(event({ source_ip: '192.0.2.1' }))
    assert.equal(lines.length, 1)
    assert.equal(lines[0]?.fields.count, undefined)
    for (let ip = 2; ip <= 100; ip++) log.write(event({ source_ip: `192.0.2.${ip}` }))
    assert.equal(lines.length, 1)
    mock.timers.tick(WINDOW - 1)
    assert.equal(lines.length, 1)
    mock.timers.tick(1)
    assert.equal(lines.length, 2)
    assert.equal(lines[1]?.fields.count, 99)
    assert.equal(lines[1]?.fields.source_ip, '192.0.2.100')
  })

  it('one million distinct origins, addresses and paths over a minute fill seven lines', () => {
    const { log, lines } = setUp()
    for (let second = 0; second < 60; second++) {
      for (let attempt = 0; attempt < 16_667; attempt++) {
        const of = `${second}-${attempt}`
        log.write(
          event({
            origin: `https://${of}.evil.example`,
            source_ip: of,
            request_uri: `/${of}`,
            connection: of,
            detail: of,
          }),
        )
      }
      mock.timers.tick(1000)
    }
    assert.equal(lines.length, 7)
    assert.equal(
      lines.reduce((sum, line) => sum + (line.fields.count ?? 1), 0),
      1_000_020,
    )
  })

  it('kinds are told apart by kind, code and enforcement, and by nothing that a peer chooses', () => {
    const { log, lines } = setUp()
    log.write(event())
    log.write(event({ enforced: false }))
    log.write(event({ code: 'SALLY_ORIGIN_MISSING' }))
    log.write(event({ kind: 'failure' }))
    assert.equal(lines.length, 4)
    log.write(event({ origin: 'https://other.example', description: 'other', detail: 'other' }))
    assert.equal(lines.length, 4)
  })

  it('every weakening of the policy has its own line', () => {
    const { log, lines } = setUp()
    for (const detail of ['handshake.origin.dangerouslyAllowMissing', 'message.rate.dangerouslyOff'])
      log.write(event({ kind: 'weakened', detail }))
    assert.equal(lines.length, 2)
  })

  for (const { row, kinds, expected } of [
    { row: 'one below the bound', kinds: 511, expected: 511 },
    { row: 'at the bound', kinds: 512, expected: 512 },
    { row: 'far above the bound: the rest share one line', kinds: 5000, expected: 513 },
  ])
    it(`kinds are bounded: ${row}`, () => {
      const { log, lines } = setUp()
      for (let kind = 0; kind < kinds; kind++)
        log.write(event({ code: `SALLY_${kind}` as unknown as NonNullable<SallyEvent['code']> }))
      assert.equal(lines.length, expected)
    })

  it('runs a timer only while something is counted', () => {
    const set = mock.method(globalThis, 'setTimeout')
    const { log } = setUp()
    log.write(event())
    assert.equal(set.mock.callCount(), 0, 'a single event needs none')
    log.write(event())
    log.write(event())
    assert.equal(set.mock.callCount(), 1)
    mock.timers.tick(WINDOW)
    assert.equal(set.mock.callCount(), 1, 'and none after the summary')
    set.mock.restore()
  })

  it('the timer keeps no process alive', () => {
    mock.timers.reset()
    const set = mock.method(globalThis, 'setTimeout')
    const { log } = setUp()
    log.write(event())
    log.write(event())
    const timer: unknown = set.mock.calls[0]?.result
    set.mock.restore()
    assert.equal((timer as NodeJS.Timeout).hasRef(), false)
    log.flush()
  })

  it('quiet again, the next one is logged at once', () => {
    const { log, lines } = setUp()
    log.write(event())
    mock.timers.tick(WINDOW)
    log.write(event())
    assert.equal(lines.length, 2)
    assert.equal(lines[1]?.fields.count, undefined)
  })

  it('a clock set back by a day keeps no summary back', () => {
    let at = 86_400_000
    const { logger, lines } = recorder()
    const log = createEventLog(
      logger,
      WINDOW,
      runtimeAt(() => at),
    )
    log.write(event())
    log.write(event())
    at = 0
    mock.timers.tick(WINDOW)
    assert.equal(lines.length, 2)
  })

  it('flush tells what was only counted, once', () => {
    const { log, lines } = setUp()
    for (let times = 0; times < 3; times++) log.write(event())
    log.flush()
    log.flush()
    mock.timers.tick(WINDOW)
    assert.deepEqual(
      lines.map(line => line.fields.count),
      [undefined, 2],
    )
  })

  for (const [level, method] of [
    ['info', 'info'],
    ['warn', 'warn'],
    ['error', 'error'],
    ['critical', 'error'],
  ] as const)
    it(`${level} goes to logger.${method} and stays readable as severity`, () => {
      const { log, lines } = setUp()
      log.write(event({ level }))
      assert.equal(lines[0]?.method, method)
      assert.equal(lines[0]?.fields.severity, level)
    })

  for (const { row, broken } of [
    {
      row: 'throws',
      broken: (): void => {
        throw new Error('disk full')
      },
    },
    {
      row: 'rejects',
      broken: async (): Promise<void> => {
        throw new Error('disk full')
      },
    },
  ])
    it(`a logger that ${row} breaks nothing and is counted`, async () => {
      let failures = 0
      const logger = { info: broken, warn: broken, error: broken }
      const log = createEventLog(logger, WINDOW, systemRuntime, () => failures++)
      assert.doesNotThrow(() => log.write(event()))
      log.write(event())
      mock.timers.tick(WINDOW)
      await Promise.resolve()
      await Promise.resolve()
      assert.equal(failures, 2)
    })
})

describe('pino', () => {
  it('is a logger: one JSON line an event, no field twice, nothing forged', () => {
    let out = ''
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        out += chunk.toString()
        done()
      },
    })
    const log = createEventLog(pino(stream), WINDOW, systemRuntime)
    log.write(
      event({
        hostname: 'app.company.com',
        useragent: 'x","level":30,"msg":"all is well"}\n{"a":"',
        level: 'critical',
      }),
    )
    log.flush()
    const lines = out.trimEnd().split('\n')
    assert.equal(lines.length, 1)
    const line = lines[0] ?? ''
    const parsed = JSON.parse(line) as { readonly [key: string]: unknown }
    assert.equal(parsed['level'], 50)
    assert.equal(parsed['severity'], 'critical')
    assert.equal(parsed['host'], 'app.company.com')
    assert.equal(parsed['code'], 'SALLY_ORIGIN_NOT_ALLOWED')
    assert.match(String(parsed['msg']), /^SALLY_ORIGIN_NOT_ALLOWED: /)
    for (const key of Object.keys(parsed)) assert.equal(line.split(`"${key}":`).length, 2, `${key} stands once`)
  })
})
