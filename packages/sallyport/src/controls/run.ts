import { isStoreError } from '../model/store-error.ts'
import { isReported } from '../model/reporting.ts'
import type { Timers } from '../model/runtime.ts'
import { isThenable } from '../model/thenable.ts'
import { PASS } from '../model/verdict.ts'
import type { ControlId, Denial, Verdict } from '../model/verdict.ts'
import { denying } from './definition.ts'

/** Denials of the runner itself. They can occur with any control. */
export const RUNNER_DENIALS = {
  SALLY_CONTROL_FAILED: {
    action: 'refuse',
    http: 503,
    close: 1011,
    level: 'critical',
    event: 'sys_crash',
    requirements: ['ASVS-16.5.3'],
    means: 'a control threw; it denies',
    remedy: 'See the detail for the control; a policy function or the store failed.',
    tells: {
      threw: '{control} threw {error}',
      'no-verdict': '{control} answered no verdict',
      'ticket-endpoint': 'the ticket endpoint: {error}',
    },
  },
  SALLY_CONTROL_TIMEOUT: {
    action: 'refuse',
    http: 503,
    close: 1013,
    level: 'error',
    event: 'sys_crash',
    requirements: ['ASVS-16.5.3'],
    means: 'a control did not answer in time; it denies',
    remedy: 'See the detail for the control; raise `timeout`, or make what it waits for faster.',
    tells: {
      control: '{control} did not answer within {timeoutMs} ms',
      authorize: 'handshake/authorize: {fault}',
      'ticket-endpoint': 'the ticket endpoint took over {timeoutMs} ms',
    },
  },
  SALLY_STORE_UNAVAILABLE: {
    action: 'refuse',
    http: 503,
    close: 1013,
    level: 'error',
    event: 'sys_crash',
    requirements: ['ASVS-16.5.3'],
    means: 'the store did not answer; what needs it is denied',
    remedy: 'Repair the store.',
    tells: {
      control: '{control}: {code}',
      revocations: 'store.revokedAt threw {error}',
      ticket: 'the store threw {error}; no ticket is redeemed without it',
      grace: 'the store was away for longer than connections live without it',
    },
  },
} as const
const deny = denying(RUNNER_DENIALS)

/** Most characters of the name of an error that are shown to the operator. */
const MOST_SHOWN = 200

/** One compiled control of a door. A synchronous verdict is used at once, without `await`. */
export interface DoorCheck<Subject, Context> {
  readonly id: ControlId
  readonly check: (subject: Subject, context: Context) => Verdict | Promise<Verdict>
  /** Longest wait for this control, in ms, if it differs from the door's. */
  readonly timeoutMs?: number
}

/**
 * Called for every denial. `enforced` is false if report mode lets the subject pass. Errors of this function are
 * ignored: a failed report cannot undo a denial.
 */
export type ObserveDenial<Subject, Context> = (
  control: ControlId,
  denial: Denial,
  enforced: boolean,
  subject: Subject,
  context: Context,
) => void

/** The parts of a door. */
export interface DoorParts<Subject, Context> {
  /** In the order in which they run. Two may have the same id. */
  readonly checks: readonly DoorCheck<Subject, Context>[]
  /** The controls that report what they would deny, and deny nothing. */
  readonly report: 'all' | ReadonlySet<ControlId>
  /** Longest wait for one asynchronous control, in ms. */
  readonly timeoutMs: number
  readonly observe: ObserveDenial<Subject, Context>
  readonly timers: Timers
}

/** A compiled door. Its result is the first enforced denial, or `PASS`. Never throws, never rejects. */
export type Door<Subject, Context> = (subject: Subject, context: Context) => Verdict | Promise<Verdict>

/**
 * Compiles controls into a door. They run in order, and the first denial ends the run. A control that throws, rejects,
 * exceeds `timeoutMs` or returns something that is not a verdict denies (fail closed). The result is a promise only if
 * a control returned one.
 */
export function createDoor<Subject, Context = void>(parts: DoorParts<Subject, Context>): Door<Subject, Context> {
  const { report, timeoutMs, observe, timers } = parts
  const steps = parts.checks.map(({ id, check, timeoutMs: most = timeoutMs }) => ({
    id,
    check,
    timeoutMs: most,
    enforced: !isReported({ report }, id),
  }))
  type Step = (typeof steps)[number]

  /** The denial that ends the run. Null if the run continues. */
  const judge = (step: Step, verdict: unknown, subject: Subject, context: Context): Denial | null => {
    if (isPass(verdict)) return null
    const denial = isDenial(verdict)
      ? verdict
      : deny('SALLY_CONTROL_FAILED', { reason: 'no-verdict', control: step.id })
    try {
      observe(step.id, denial, step.enforced, subject, context)
    } catch {
      // The denial stands whatever the observer does.
    }
    return step.enforced ? denial : null
  }

  const settle = (step: Step, answer: PromiseLike<unknown>): Promise<unknown> =>
    new Promise(resolve => {
      const timer = timers.setTimeout(
        () =>
          resolve(deny('SALLY_CONTROL_TIMEOUT', { reason: 'control', control: step.id, timeoutMs: step.timeoutMs })),
        step.timeoutMs,
      )
      Promise.resolve(answer).then(
        verdict => {
          timers.clearTimeout(timer)
          resolve(verdict)
        },
        (error: unknown) => {
          timers.clearTimeout(timer)
          resolve(failed(step.id, error))
        },
      )
    })

  const resume = async (
    from: number,
    answer: PromiseLike<unknown>,
    subject: Subject,
    context: Context,
  ): Promise<Verdict> => {
    const step = steps[from]!
    return judge(step, await settle(step, answer), subject, context) ?? run(from + 1, subject, context)
  }

  const run = (from: number, subject: Subject, context: Context): Verdict | Promise<Verdict> => {
    for (let index = from; index < steps.length; index++) {
      const step = steps[index]!
      let verdict: unknown
      try {
        verdict = step.check(subject, context)
        if (verdict === PASS) continue
        if (isThenable(verdict)) return resume(index, verdict, subject, context)
      } catch (error) {
        verdict = failed(step.id, error)
      }
      const denial = judge(step, verdict, subject, context)
      if (denial !== null) return denial
    }
    return PASS
  }

  return (subject, context) => run(0, subject, context)
}

/** Only the class of the error: its message could contain data that must not be logged. */
function failed(id: ControlId, error: unknown): Denial {
  if (isStoreError(error)) return deny('SALLY_STORE_UNAVAILABLE', { reason: 'control', control: id, code: error.code })
  const name = error instanceof Error ? error.constructor.name.slice(0, MOST_SHOWN) : typeof error
  return deny('SALLY_CONTROL_FAILED', { reason: 'threw', control: id, error: name })
}

function isPass(verdict: unknown): boolean {
  return typeof verdict === 'object' && verdict !== null && (verdict as { pass?: unknown }).pass === true
}

function isDenial(verdict: unknown): verdict is Denial {
  if (typeof verdict !== 'object' || verdict === null) return false
  const { pass, code } = verdict as { pass?: unknown; code?: unknown }
  return pass === false && typeof code === 'string'
}
