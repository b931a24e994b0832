import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentenceOf } from '../../src/policy/denials.ts'
import { createDoor } from '../../src/controls/run.ts'
import type { DoorCheck } from '../../src/controls/run.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { PASS, deny } from '../../src/model/verdict.ts'
import type { ControlId, Denial, Verdict } from '../../src/model/verdict.ts'

type Answer = () => Verdict | Promise<Verdict>
type Seen = { readonly control: ControlId; readonly code: string; readonly detail: string; readonly enforced: boolean }

const no = (): Denial => deny('SALLY_MESSAGE_FORBIDDEN')
const oddly = (value: unknown): Answer => (() => value) as Answer

/** A promise of other hands, as some libraries still return them. */
function thenable(then: (ok: (verdict: Verdict) => void) => void): object {
  // eslint-disable-next-line unicorn/no-thenable -- a thenable is what is tested
  return { then }
}

function door(answers: Readonly<Record<string, Answer>>, report: 'all' | ReadonlySet<ControlId> = new Set()) {
  const ran: string[] = []
  const seen: Seen[] = []
  const checks: DoorCheck<string, number>[] = Object.entries(answers).map(([name, answer]) => ({
    id: `message/${name}`,
    check: () => {
      ran.push(name)
      return answer()
    },
  }))
  const run = createDoor({
    checks,
    report,
    timeoutMs: 1000,
    timers: systemRuntime,
    observe: (control, denial, enforced, subject, context) => {
      assert.equal(subject, 'subject')
      assert.equal(context, 7)
      seen.push({ control, code: denial.code, detail: sentenceOf(denial), enforced })
    },
  })
  return { ran, seen, run: () => run('subject', 7) }
}

const codeOf = (verdict: Verdict): string => (verdict.pass ? 'PASS' : verdict.code)

const rows: readonly [
  name: string,
  answers: Readonly<Record<string, Answer>>,
  code: string,
  ran: string[],
  report?: 'all' | ControlId,
][] = [
  ['no control passes', {}, 'PASS', []],
  ['all pass, in order', { a: () => PASS, b: () => PASS }, 'PASS', ['a', 'b']],
  ['a pass that is not the shared one', { a: () => ({ pass: true }), b: () => PASS }, 'PASS', ['a', 'b']],
  ['the first denial ends the run', { a: () => PASS, b: no, c: () => PASS }, 'SALLY_MESSAGE_FORBIDDEN', ['a', 'b']],
  ['an asynchronous denial ends the run', { a: async () => no(), b: () => PASS }, 'SALLY_MESSAGE_FORBIDDEN', ['a']],
  [
    'an asynchronous pass goes on',
    { a: async () => PASS, b: async () => PASS, c: no },
    'SALLY_MESSAGE_FORBIDDEN',
    ['a', 'b', 'c'],
  ],
  [
    'a control that throws denies',
    {
      a: () => {
        throw new TypeError('secret')
      },
      b: () => PASS,
    },
    'SALLY_CONTROL_FAILED',
    ['a'],
  ],
  [
    'a control that throws no error denies',
    {
      a: () => {
        throw 'secret'
      },
    },
    'SALLY_CONTROL_FAILED',
    ['a'],
  ],
  [
    'a control that rejects denies',
    { a: () => Promise.reject(new RangeError('secret')), b: () => PASS },
    'SALLY_CONTROL_FAILED',
    ['a'],
  ],
  ['undefined is no verdict', { a: oddly(undefined), b: () => PASS }, 'SALLY_CONTROL_FAILED', ['a']],
  ['true is no verdict', { a: oddly(true) }, 'SALLY_CONTROL_FAILED', ['a']],
  ['pass: 1 is no verdict', { a: oddly({ pass: 1 }) }, 'SALLY_CONTROL_FAILED', ['a']],
  ['pass: false without a code denies', { a: oddly({ pass: false }) }, 'SALLY_CONTROL_FAILED', ['a']],
  ['a promise of undefined denies', { a: oddly(Promise.resolve()) }, 'SALLY_CONTROL_FAILED', ['a']],
  ['a thenable is awaited', { a: oddly(thenable(ok => ok(no()))) }, 'SALLY_MESSAGE_FORBIDDEN', ['a']],
  [
    'a thenable whose then throws denies',
    {
      a: oddly(
        thenable(() => {
          throw new Error('secret')
        }),
      ),
    },
    'SALLY_CONTROL_FAILED',
    ['a'],
  ],
  [
    'report all: nothing is denied',
    {
      a: no,
      b: async () => no(),
      c: () => {
        throw new Error('secret')
      },
    },
    'PASS',
    ['a', 'b', 'c'],
    'all',
  ],
  ['report one: that one alone goes on', { a: no, b: no }, 'SALLY_MESSAGE_FORBIDDEN', ['a', 'b'], 'message/a'],
]

for (const [name, answers, code, ran, report] of rows) {
  test(name, async () => {
    const it = door(answers, report === undefined || report === 'all' ? report : new Set([report]))
    assert.equal(codeOf(await it.run()), code)
    assert.deepEqual(it.ran, ran)
    for (const { detail } of it.seen) assert.doesNotMatch(detail, /secret/)
  })
}

test('a synchronous verdict is no promise', () => {
  assert.equal(door({ a: () => PASS }).run(), PASS)
  assert.equal(door({ a: no }).run() instanceof Promise, false)
})

test('each denial is observed once, with its enforcement', async () => {
  const it = door({ a: no, b: async () => no() }, new Set<ControlId>(['message/a']))
  await it.run()
  assert.deepEqual(
    it.seen.map(({ control, enforced }) => [control, enforced]),
    [
      ['message/a', false],
      ['message/b', true],
    ],
  )
})

test('the detail of a failure names the control and the class of the error', () => {
  const it = door({
    a: () => {
      throw new TypeError('secret')
    },
  })
  void it.run()
  assert.equal(it.seen[0]?.detail, 'message/a threw TypeError')
})

test('an observer that throws undoes no denial', async () => {
  const run = createDoor<null>({
    checks: [{ id: 'message/a', check: no }],
    report: new Set(),
    timeoutMs: 1000,
    timers: systemRuntime,
    observe: () => {
      throw new Error('log is full')
    },
  })
  assert.equal(codeOf(await run(null)), 'SALLY_MESSAGE_FORBIDDEN')
})

test('a control that never answers denies at the bound, not one below', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const it = door({ a: () => new Promise(() => {}), b: () => PASS })
  let verdict: Verdict | null = null
  const done = Promise.resolve(it.run()).then(v => (verdict = v))
  t.mock.timers.tick(999)
  await Promise.resolve()
  assert.equal(verdict, null)
  t.mock.timers.tick(1)
  assert.equal(codeOf(await done), 'SALLY_CONTROL_TIMEOUT')
  assert.deepEqual(it.ran, ['a'])
})

test('a late answer or rejection after the time-out changes nothing', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const late = Promise.withResolvers<Verdict>()
  const it = door({ a: () => late.promise })
  const done = it.run()
  t.mock.timers.tick(1000)
  late.reject(new Error('late'))
  assert.equal(codeOf(await done), 'SALLY_CONTROL_TIMEOUT')
  assert.equal(it.seen.length, 1)
})

test('an answer in time leaves no timer behind', async t => {
  const cleared = t.mock.method(globalThis, 'clearTimeout')
  await door({ a: async () => PASS }).run()
  await door({ a: () => Promise.reject(new Error('x')) }).run()
  assert.equal(cleared.mock.callCount(), 2)
})
