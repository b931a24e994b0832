import { textOf } from '../connection/outbound-text.ts'
import type { Services } from '../connection/state.ts'
import { lingers } from '../connection/waiting.ts'
import { concurrency } from '../controls/message/concurrency.ts'
import { compileHeartbeats } from '../controls/message/heartbeat.ts'
import { compileOutbound } from '../controls/message/outbound.ts'
import { createMessageDoor } from '../controls/message/run.ts'
import { controlFrames } from '../controls/message/size.ts'
import type { ConnectionState } from '../connection/state.ts'
import type { Doors } from './doors.ts'
import { resolveIfDrained, unsubscribeIfDone } from './drain.ts'
import { type GuardState, isEnforced } from './guard-state.ts'
import { releaseAttempt } from './slots.ts'
import { surrender } from './takeover.ts'

/** Creates what all connections of a guard share. */
export function createServices(guard: GuardState, doors: Doors): Services {
  const { policy, context, observer, keeper } = guard
  return {
    policy,
    now: guard.runtime.now,
    random: guard.runtime.random,
    setTimeout: guard.runtime.setTimeout,
    admitMessage: createMessageDoor(policy, context, (control, denial, enforced, _subject, connection) =>
      observer.denied(control, denial, enforced, connection as ConnectionState),
    ),
    heartbeats: compileHeartbeats(policy),
    admitFirst: doors.firstMessage,
    controlFrame: controlFrames(policy, context),
    outbound: compileOutbound(policy, message => textOf(message, policy.message.format?.bigIntegers)),
    handlers: concurrency.compile(policy),
    check(connection) {
      const { attempt, session } = connection
      // Report mode let it in without a session, so no right can lapse.
      if (guard.standIns.has(attempt)) return { is: 'yes', session }
      const isWanted = (): boolean => connection.attempt === attempt && connection.readyState < 2
      return connection.unjudged
        ? doors.standing.judge(attempt, session, isWanted)
        : doors.standing.recheck(attempt, session, isWanted)
    },
    touch: connection => keeper.touch(connection),
    denied: observer.denied,
    enforced: control => isEnforced(guard, control),
    onlyReports: policy.report === 'all',
    authenticated: observer.authenticated,
    failed: observer.failed,
    sent: observer.sent,
    received: observer.received,
    store: guard.store,
    surrender: (connection, heir, to) => surrender(guard, connection, heir, to),
    ended(connection, code) {
      guard.live.delete(connection)
      keeper.forget(connection)
      releaseAttempt(guard, connection.attempt)
      observer.closed(connection, code)
      if (lingers(connection)) guard.lingering.add(connection)
      resolveIfDrained(guard)
    },
    over(connection) {
      if (guard.lingering.delete(connection)) unsubscribeIfDone(guard)
    },
  }
}
