import type { Attempt } from '../model/attempt.ts'
import type { HandshakeControl } from '../controls/handshake/handshake-control.ts'
import type { HandshakePolicy } from '../controls/handshake/doors.ts'
import {
  anonymousSession,
  type Asking,
  isSame,
  type Resolution,
  resolveSession,
} from '../controls/handshake/resolve-session.ts'
import { isReported } from '../model/reporting.ts'
import { createDoor } from '../controls/run.ts'
import { isThenable } from '../model/thenable.ts'
import type { Policy } from '../policy/types.ts'
import { type Code, type Awaitable, type ControlId, type Denial, deny, PASS, type Verdict } from '../model/verdict.ts'
import type { Timers } from '../model/runtime.ts'
import type { Session } from '../model/session.ts'
import type { LookupQueue } from '../session/lookup-queue.ts'
import { LookupRefused } from '../session/lookup-question.ts'
import type { Checked } from '../connection/services.ts'
import type { ControlContext } from '../controls/context.ts'
import { sentenceOf } from '../policy/denials.ts'

/**
 * Codes that mean "cannot decide": a look-up or a store failed. An open connection survives them for the grace time.
 */
const CANNOT_TELL: ReadonlySet<Code> = new Set([
  'SALLY_SESSION_UNAVAILABLE',
  'SALLY_STORE_UNAVAILABLE',
  'SALLY_CONTROL_FAILED',
  'SALLY_CONTROL_TIMEOUT',
])

/** Whether a denial means "cannot decide". Such a denial does not end a right that was granted. */
export function isDoubt({ code }: Denial): boolean {
  return CANNOT_TELL.has(code)
}

/**
 * Checks open connections again. Their look-ups wait among those of known users, so that strangers cannot delay them.
 */
export interface Standing {
  /** The regular check: does this connection still have the same session? */
  recheck(attempt: Attempt, held: Session, isWanted: () => boolean): Awaitable<Checked>
  /**
   * The check after a takeover: would the handshake door accept it, with the same session and user? Rate and ticket are
   * not checked again.
   */
  judge(attempt: Attempt, held: Session, isWanted: () => boolean): Awaitable<Checked>
}

/** The parameters of {@link createStanding}. */
export interface StandingOptions {
  readonly policy: Policy
  readonly context: ControlContext
  readonly lookups: LookupQueue
  /** The controls of the handshake door that are checked again, in order. */
  readonly door: readonly HandshakeControl<HandshakePolicy>[]
  readonly observe: (control: ControlId, denial: Denial, enforced: boolean, attempt: Attempt) => void
}

/** The caller already holds a place in the queue. */
const IN_TURN: Asking = { standing: 'known', inTurn: true }

type Step = (attempt: Attempt, held: Session, isWanted: () => boolean) => Awaitable<Verdict | null>

/** Compiles the checks of one guard. */
export function createStanding({ policy, context, lookups, door, observe }: StandingOptions): Standing {
  /** Attempts whose doubt has been reported. A look-up that fails again and again gets one event. */
  const doubted = new WeakSet<Attempt>()

  /** Makes a look-up in the queue. Null if its result is not needed any more. */
  const inTurn = <T>(
    attempt: Attempt,
    isWanted: () => boolean,
    look: () => Awaitable<T>,
    refused: (error: unknown) => T,
  ): Awaitable<T | null> => {
    const fail = (error: unknown): T | null =>
      error instanceof LookupRefused && error.fault === 'abandoned' ? null : refused(error)
    try {
      const { ip } = attempt.request
      const answer = lookups.ask({ ip, standing: 'open', key: null, look, failed: () => false, wanted: isWanted })
      return answer instanceof Promise ? answer.catch(fail) : answer
    } catch (error) {
      return fail(error)
    }
  }

  const tell = (control: ControlId, denial: Denial, enforced: boolean, attempt: Attempt): void => {
    if (!enforced || !isDoubt(denial)) {
      observe(control, denial, enforced, attempt)
      return
    }
    if (doubted.has(attempt)) return
    doubted.add(attempt)
    observe(control, denial, false, attempt)
  }

  const doorOf = (
    id: ControlId,
    check: (attempt: Attempt) => Awaitable<Verdict>,
  ): ((attempt: Attempt) => Awaitable<Verdict>) =>
    createDoor<Attempt>({
      checks: [{ id, check }],
      report: policy.report,
      timeoutMs: policy.timeoutMs,
      observe: tell,
      timers: context.runtime,
    })

  const stepOf = (control: HandshakeControl<HandshakePolicy>): readonly Step[] => {
    if (control.id === 'handshake/session') return [lookAgain]
    const check = control.compile(policy, context)
    if (check === null) return []
    const run = doorOf(control.id, check)
    if (control.id === 'handshake/subprotocol') return [keepingSubprotocol(run)]
    if (control.id !== 'handshake/authorize') return [run]
    // The app's rule may query a database. After a reload, thousands of connections must not do that at once.
    return [(attempt, _held, isWanted) => inTurn<Verdict>(attempt, isWanted, () => run(attempt), lateVerdict)]
  }

  /** Looks the session up again. In report mode the connection keeps the session that it was opened for. */
  const lookAgain: Step = (attempt, held, isWanted) => {
    // An anonymous connection is its own session. A connection that was opened for a user must not continue without
    // one.
    if (policy.handshake.session === null) return isSame(anonymousSession(attempt), held) ? PASS : ANOTHER
    const isEnforced = !isReported(policy, 'handshake/session')
    const settle = (found: Resolution | null): Verdict | null => {
      if (found === null) return null
      if ('session' in found) {
        if (!isSame(found.session, held)) return ANOTHER
        attempt.session = found.session
        return PASS
      }
      tell('handshake/session', found, isEnforced, attempt)
      return isEnforced ? found : PASS
    }
    const found = inTurn<Resolution>(
      attempt,
      isWanted,
      () => within(context.runtime, policy.timeoutMs, resolveSession(policy, context, attempt.request, null, IN_TURN)),
      lateResolution,
    )
    return found instanceof Promise ? found.then(settle) : settle(found)
  }

  const steps = door.flatMap(stepOf)

  const run = (
    from: number,
    doubt: Denial | null,
    attempt: Attempt,
    held: Session,
    isWanted: () => boolean,
  ): Awaitable<Checked> => {
    for (let index = from; index < steps.length; index++) {
      const verdict = steps[index]!(attempt, held, isWanted)
      if (isThenable(verdict)) {
        return Promise.resolve(verdict).then(later => go(index, later, doubt, attempt, held, isWanted))
      }
      const checked = ends(verdict)
      if (checked !== null) return checked
      if (verdict !== null && !verdict.pass) doubt ??= verdict
    }
    if (doubt !== null) return { is: 'doubt', denial: doubt, told: true }
    return { is: 'yes', session: attempt.session ?? held }
  }

  const go = (
    index: number,
    verdict: Verdict | null,
    doubt: Denial | null,
    attempt: Attempt,
    held: Session,
    isWanted: () => boolean,
  ): Awaitable<Checked> =>
    ends(verdict) ??
    run(index + 1, verdict === null || verdict.pass ? doubt : (doubt ?? verdict), attempt, held, isWanted)

  return {
    recheck(attempt, held, isWanted) {
      const found = inTurn<Resolution>(
        attempt,
        isWanted,
        () =>
          within(context.runtime, policy.timeoutMs, resolveSession(policy, context, attempt.request, held, IN_TURN)),
        lateResolution,
      )
      return found instanceof Promise ? found.then(checkedOf) : checkedOf(found)
    },
    judge: (attempt, held, isWanted) => run(0, null, attempt, held, isWanted),
  }
}

/**
 * Keeps the subprotocol that was negotiated at the opening. The door might choose another one today, but the peer
 * speaks the first.
 */
function keepingSubprotocol(run: (attempt: Attempt) => Awaitable<Verdict>): Step {
  return attempt => {
    const { subprotocol } = attempt
    const verdict = run(attempt)
    attempt.subprotocol = subprotocol
    return verdict
  }
}

/**
 * A connection that was opened for one session must not continue as another, as at a re-check. A backend knows only the
 * first one.
 */
const ANOTHER: Denial = deny('SALLY_LIFETIME_INVALID', { found: 'the request now resolves to another session or user' })

/** The result, if an answer ends the check. Null if the check continues, with or without doubt. */
function ends(verdict: Verdict | null): Checked | null {
  if (verdict === null) return { is: 'moot' }
  if (verdict.pass || isDoubt(verdict)) return null
  return { is: 'no', denial: verdict, told: verdict !== ANOTHER }
}

function checkedOf(found: Resolution | null): Checked {
  if (found === null) return { is: 'moot' }
  if ('session' in found) return { is: 'yes', session: found.session }
  return isDoubt(found)
    ? { is: 'doubt', denial: found, told: false }
    : { is: 'no', denial: deny('SALLY_LIFETIME_INVALID', { found: sentenceOf(found) }), told: false }
}

const lateResolution = (error: unknown): Denial =>
  deny('SALLY_SESSION_UNAVAILABLE', { reason: 'look-up', fault: faultOf(error) })
const lateVerdict = (error: unknown): Denial =>
  deny('SALLY_CONTROL_TIMEOUT', { reason: 'authorize', fault: faultOf(error) })

function faultOf(error: unknown): string {
  return error instanceof LookupRefused ? error.message : 'the look-up failed'
}

/** The session, or the reason why there is none. An answer that arrives too late counts as a failed look-up. */
async function late(timers: Timers, ms: number, looked: Promise<Resolution>): Promise<Resolution> {
  const tooLate = Promise.withResolvers<Denial>()
  const timer = timers.setTimeout(
    () => tooLate.resolve(deny('SALLY_SESSION_UNAVAILABLE', { reason: 'late', timeoutMs: ms })),
    ms,
  )
  return Promise.race([looked, tooLate.promise]).finally(() => timers.clearTimeout(timer))
}

function within(timers: Timers, ms: number, looked: Awaitable<Resolution>): Awaitable<Resolution> {
  return looked instanceof Promise ? late(timers, ms, looked) : looked
}
