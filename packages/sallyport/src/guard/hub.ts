import type { Attempt } from '../handshake/attempt.ts'
import type { OutboundCheck } from '../message/outbound.ts'
import type { MessageConnection, MessageSubject } from '../message/message-control.ts'
import type { Policy } from '../policy/types.ts'
import type { ControlId, Denial, Verdict } from '../policy/verdict.ts'
import type { Session } from '../session/session.ts'
import type { LiveConnection } from './live-connection.ts'

/** What all connections of a guard share. */
export interface Hub {
  readonly policy: Policy
  readonly now: () => number
  /** The message door. */
  readonly admitMessage: (subject: MessageSubject, connection: MessageConnection) => Verdict | Promise<Verdict>
  /** Redeems the ticket in a first message. */
  readonly admitFirst: (text: string, connection: LiveConnection) => Verdict | Promise<Verdict>
  readonly controlFrame: (connection: LiveConnection) => Verdict
  readonly outbound: OutboundCheck | null
  /** The most handlers of one connection at once. */
  readonly handlers: number
  /** Looks the session up again: the session, null when it is gone, a denial when it cannot be told. */
  readonly recheck: (attempt: Attempt) => Promise<Session | Denial>
  /** Something about the connection's deadlines came nearer. */
  readonly touch: (connection: LiveConnection) => void
  readonly denied: (control: ControlId, denial: Denial, enforced: boolean, connection: LiveConnection) => void
  readonly enforced: (control: ControlId) => boolean
  readonly authenticated: (connection: LiveConnection) => void
  readonly failed: (error: unknown, connection: LiveConnection) => void
  readonly sent: (bytes: number) => void
  readonly received: (bytes: number) => void
  readonly ended: (connection: LiveConnection, code: number) => void
}

/** Where what passed the doors goes. */
export interface Delivery {
  /** Once the connection may act: at once, or after its first message. */
  open?(connection: LiveConnection): void
  /** One message that passed. A promise counts as a running handler. */
  message(subject: MessageSubject, connection: LiveConnection): unknown
  closed?(connection: LiveConnection, code: number): void
  /** What the app's own code threw: for the app's log, not for events. */
  failed?(error: unknown, connection: LiveConnection): void
}
