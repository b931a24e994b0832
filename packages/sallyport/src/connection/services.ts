import type { Heartbeat } from '../controls/message/heartbeat.ts'
import type { MessageConnection, MessageSubject } from '../controls/message/message-control.ts'
import type { OutboundCheck } from '../controls/message/outbound.ts'
import type { Attempt } from '../model/attempt.ts'
import type { Policy } from '../model/policy.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Session } from '../model/session.ts'
import type { Store } from '../model/store.ts'
import type { Awaitable, ControlId, Denial, Verdict } from '../model/verdict.ts'
import type { Connection } from './connection.ts'

/** What all connections of a guard share. `C` is the record of a connection. */
export interface GuardServices<C> extends Pick<Runtime, 'now' | 'random' | 'setTimeout'> {
  readonly policy: Policy
  /** The message door. */
  readonly admitMessage: (subject: MessageSubject, connection: MessageConnection) => Verdict | Promise<Verdict>
  /** Texts that are answered at once and go no further. */
  readonly heartbeats: readonly Heartbeat[]
  /** Redeems the ticket in a first message. */
  readonly admitFirst: (text: string, connection: C) => Verdict | Promise<Verdict>
  readonly controlFrame: (connection: C) => Verdict
  readonly outbound: OutboundCheck | null
  /** The most handlers of one connection at once. */
  readonly handlers: number
  /** Checks whether the connection may stay: by its session or, after a takeover, by the handshake door. Never rejects. */
  readonly check: (connection: C) => Awaitable<Checked>
  /** To be called when a deadline of the connection came nearer. */
  readonly touch: (connection: C) => void
  readonly denied: (control: ControlId, denial: Denial, enforced: boolean, connection: C) => void
  /** False for a control in report mode. */
  readonly enforced: (control: ControlId) => boolean
  /** Whether every control only reports, so that no message can be denied. */
  readonly onlyReports: boolean
  readonly authenticated: (connection: C) => void
  readonly failed: (error: unknown, connection: C) => void
  /** One message left, or several at once with so many bytes in all. */
  readonly sent: (bytes: number, messages?: number) => void
  readonly received: (bytes: number) => void
  readonly ended: (connection: C, code: number) => void
  /** All messages from before the peer's close frame are handled, or dropped. */
  readonly over: (connection: C) => void
  readonly store: Store
  /**
   * Forgets a connection that another guard takes over. Its slots go to `heir`, the attempt that it is judged by there; they
   * are given back where that guard has another store.
   */
  readonly surrender: (connection: C, heir: Attempt, store: Store) => void
}

/** What came out when an open connection was checked again. */
export type Checked =
  | { readonly is: 'yes'; readonly session: Session }
  /** The right ends now. `told`: an event has said so. */
  | { readonly is: 'no'; readonly denial: Denial; readonly told: boolean }
  /** Nobody can tell. */
  | { readonly is: 'doubt'; readonly denial: Denial; readonly told: boolean }
  /** Nobody waits for the answer any more. */
  | { readonly is: 'moot' }

/** Receives the messages that passed the doors: the app, or a relay. */
export interface Delivery {
  /** Once the connection may act: at once, or after its first message. What it throws or rejects with closes the connection. */
  open?(connection: Connection): unknown
  /** Whether `message` can use the bytes of a subject that is `exact`, instead of its value. */
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
