import type { Attempt } from '../model/attempt.ts'
import type { Heartbeat } from '../controls/message/heartbeat.ts'
import type { OutboundCheck } from '../controls/message/outbound.ts'
import type { MessageConnection, MessageSubject } from '../controls/message/message-control.ts'
import type { Policy } from '../model/policy.ts'
import type { Awaitable, ControlId, Denial, Verdict } from '../model/verdict.ts'
import type { Store } from '../model/store.ts'
import type { AppSide } from './app-calls.ts'
import type { Connection } from './connection.ts'
import type { LiveConnection } from './live-connection.ts'
import type { Checked } from '../guard/standing.ts'

/** What all connections of a guard share. */
export interface GuardServices {
  readonly policy: Policy
  readonly now: () => number
  /** The message door. */
  readonly admitMessage: (subject: MessageSubject, connection: MessageConnection) => Verdict | Promise<Verdict>
  /** Texts that are answered here and go no further. */
  readonly heartbeats: readonly Heartbeat[]
  /** Redeems the ticket in a first message. */
  readonly admitFirst: (text: string, connection: LiveConnection) => Verdict | Promise<Verdict>
  readonly controlFrame: (connection: LiveConnection) => Verdict
  readonly outbound: OutboundCheck | null
  /** The most handlers of one connection at once. */
  readonly handlers: number
  /** Checks whether the connection may stay, by its session or, after a takeover, by the handshake door. Never rejects. */
  readonly check: (connection: LiveConnection) => Awaitable<Checked>
  /** Something about the connection's deadlines came nearer. */
  readonly touch: (connection: LiveConnection) => void
  readonly denied: (control: ControlId, denial: Denial, enforced: boolean, connection: LiveConnection) => void
  readonly enforced: (control: ControlId) => boolean
  /** Whether every control only reports, so that no message can be denied. */
  readonly onlyReports: boolean
  readonly authenticated: (connection: LiveConnection) => void
  readonly failed: (error: unknown, connection: AppSide) => void
  /** One message left, or several at once with so many bytes in all. */
  readonly sent: (bytes: number, messages?: number) => void
  readonly received: (bytes: number) => void
  readonly ended: (connection: LiveConnection, code: number) => void
  /** What came before the peer's close frame is handled, or dropped. */
  readonly over: (connection: LiveConnection) => void
  readonly store: Store
  /** Another guard takes the connection over: forgets it. Its places go to the attempt that it is judged by there, or back where that guard has another store. */
  readonly surrender: (connection: LiveConnection, heir: Attempt, store: Store) => void
}

/** Where what passed the doors goes. */
export interface Delivery {
  /** Once the connection may act: at once, or after its first message. What it throws or rejects with closes the connection. */
  open?(connection: Connection): unknown
  /** Whether `message` can do with the bytes of a subject that is `exact`, instead of its value. */
  readonly takesBytes?: boolean
  /** Whether a promise of `message` counts as a running handler. Default true. */
  readonly counts?: boolean
  /** One message that passed. */
  message(subject: MessageSubject, connection: Connection): unknown
  /** The end of a connection that `open` was called for. */
  closed?(connection: Connection, code: number): unknown
  /** What the app's own code threw: for the app's log, not for events. */
  failed?(error: unknown, connection: Connection): unknown
}
