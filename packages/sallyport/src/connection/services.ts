import type { Heartbeat } from '../controls/message/heartbeat.ts'
import type { MessageConnection, MessageSubject } from '../controls/message/message-control.ts'
import type { OutboundCheck } from '../controls/message/outbound.ts'
import type { Attempt } from '../model/attempt.ts'
import type { Policy } from '../policy/types.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Session } from '../model/session.ts'
import type { Store } from '../model/store.ts'
import type { Awaitable, ControlId, Denial, Verdict } from '../model/verdict.ts'
import type { Connection } from './connection.ts'

/** What all connections of a guard share. `C` is the type of a connection's record. */
export interface GuardServices<C> extends Pick<Runtime, 'now' | 'random' | 'setTimeout'> {
  readonly policy: Policy
  /** The message door. */
  readonly admitMessage: (subject: MessageSubject, connection: MessageConnection) => Verdict | Promise<Verdict>
  /** Texts that are answered at once. They reach neither the door nor the app. */
  readonly heartbeats: readonly Heartbeat[]
  /** Redeems the ticket in a first message. */
  readonly admitFirst: (text: string, connection: C) => Verdict | Promise<Verdict>
  readonly controlFrame: (connection: C) => Verdict
  readonly outbound: OutboundCheck | null
  /** Most handlers that one connection may run at once. */
  readonly handlers: number
  /**
   * Checks whether the connection may stay: by its session or, after a takeover, by the handshake door. Never rejects.
   */
  readonly check: (connection: C) => Awaitable<Checked>
  /** Must be called when a deadline of the connection moves to an earlier time. */
  readonly touch: (connection: C) => void
  readonly denied: (control: ControlId, denial: Denial, enforced: boolean, connection: C) => void
  /** False for a control in report mode. */
  readonly enforced: (control: ControlId) => boolean
  /** Whether every control only reports, so that no message can be denied. */
  readonly onlyReports: boolean
  readonly authenticated: (connection: C) => void
  readonly failed: (error: unknown, connection: C) => void
  /** One message was sent, or `messages` of them at once with `bytes` in all. */
  readonly sent: (bytes: number, messages?: number) => void
  readonly received: (bytes: number) => void
  readonly ended: (connection: C, code: number) => void
  /** All messages from before the peer's close frame are handled or dropped. */
  readonly over: (connection: C) => void
  readonly store: Store
  /**
   * Forgets a connection that another guard takes over. `heir` is the attempt under which the other guard judges it.
   * Its slots go to `heir` if both guards have the same store. Otherwise they are given back.
   */
  readonly surrender: (connection: C, heir: Attempt, store: Store) => void
}

/** The result of a new check of an open connection. */
export type Checked =
  | { readonly is: 'yes'; readonly session: Session }
  /** Its right ends now. `told`: an event has reported it already. */
  | { readonly is: 'no'; readonly denial: Denial; readonly told: boolean }
  /** It is unknown whether it may stay. */
  | { readonly is: 'doubt'; readonly denial: Denial; readonly told: boolean }
  /** The answer is not needed any more. */
  | { readonly is: 'moot' }

/** Receives the messages that passed the doors. This is the app or a relay. */
export interface Delivery {
  /**
   * Called when the connection may act: at once, or after its first message. An error or a rejection closes the
   * connection.
   */
  open?(connection: Connection): unknown
  /** Whether `message` can use the bytes of a subject that is `exact`, instead of its value. */
  readonly takesBytes?: boolean
  /** Whether a pending promise of `message` counts as a running handler. Default true. */
  readonly counts?: boolean
  /** One message that passed. */
  message(subject: MessageSubject, connection: Connection): unknown
  /** Called at the end of a connection for which `open` was called. */
  closed?(connection: Connection, code: number): unknown
  /** An error that the app's own code threw. It is for the app's log, not for events. */
  failed?(error: unknown, connection: Connection): unknown
}
