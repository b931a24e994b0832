import type { ConnectionState } from '../connection/state.ts'
import type { ControlContext } from '../controls/context.ts'
import {
  HANDSHAKE_DOOR,
  type HandshakePolicy,
  POLLING_DOOR,
  STANDING_DOOR,
  TICKET_DOOR,
} from '../controls/handshake/doors.ts'
import type { HandshakeControl } from '../controls/handshake/handshake-control.ts'
import { redeemFirstMessage } from '../controls/handshake/ticket.ts'
import { createDoor, type Door } from '../controls/run.ts'
import type { Attempt } from '../model/attempt.ts'
import type { Policy } from '../policy/types.ts'
import { STRANGERS } from '../session/lookup-question.ts'
import type { Observer } from './observer.ts'
import { createStanding, type Standing } from './standing.ts'

/** All compiled doors of one guard, except the message door. */
export interface Doors {
  readonly handshake: Door<Attempt, void>
  /** For the first request of a session that polls. That request is not an upgrade. */
  readonly polling: Door<Attempt, void>
  /** For a ticket request, before its session is looked up. */
  readonly ticket: Door<Attempt, void>
  /** For the first message in first-message mode. */
  readonly firstMessage: Door<string, ConnectionState>
  /** For the checks of open connections. */
  readonly standing: Standing
}

/** Compiles the doors of a policy. */
export function compileDoors(policy: Policy, context: ControlContext, observer: Observer): Doors {
  const bounds = { report: policy.report, timeoutMs: policy.timeoutMs, timers: context.runtime }
  // A look-up also waits in a queue, so its time-out covers that wait.
  const lookupMs = policy.timeoutMs + STRANGERS.waitMs + policy.timeoutMs
  const doorOf = (controls: readonly HandshakeControl<HandshakePolicy>[]): Door<Attempt, void> =>
    createDoor<Attempt>({
      ...bounds,
      checks: controls.flatMap(control => {
        const check = control.compile(policy, context)
        if (check === null) return []
        return [{ id: control.id, check, ...(control.id === 'handshake/session' && { timeoutMs: lookupMs }) }]
      }),
      observe: observer.deniedAttempt,
    })
  return {
    handshake: doorOf(HANDSHAKE_DOOR),
    polling: doorOf(POLLING_DOOR),
    ticket: doorOf(TICKET_DOOR),
    firstMessage: createDoor<string, ConnectionState>({
      ...bounds,
      checks: [
        {
          id: 'handshake/ticket',
          check: (text, connection) => redeemFirstMessage(text, policy, context, connection.attempt),
        },
      ],
      observe(control, denial, enforced, _text, connection) {
        if (!enforced) connection.ownRare().unproven = true
        observer.denied(control, denial, enforced, connection)
      },
    }),
    standing: createStanding({
      policy,
      context,
      lookups: context.lookups,
      door: STANDING_DOOR,
      observe: observer.deniedAttempt,
    }),
  }
}
