import type { ControlContext } from '../context.ts'
import type { HandshakeRequest } from '../../model/handshake-request.ts'
import type { Policy } from '../../model/policy.ts'
import type { ControlId, Verdict } from '../../model/verdict.ts'
import type { Session } from '../../model/session.ts'
import type { NeededBudget } from './needed-budget.ts'

/** One message on its way through the door. Controls write what they found for the ones after them. */
export interface MessageSubject {
  /** Length on the wire, after inflation, in bytes. */
  readonly bytes: number
  /** The text of a text message; null for a binary one. Made when it is first asked for. */
  readonly text: string | null
  /** The bytes of a binary message; null for a text one. */
  readonly data: Uint8Array | null
  /** Parsed by `message/format`, then replaced by what `message/schema` let through. */
  value: unknown
  /** The declared type, written by `message/schema`; null where any message is accepted. */
  type: string | null
  /** Where `lent[start..end)` are the bytes of a text that nobody has asked for yet: the transport's own, until its call returns. */
  readonly lent?: Buffer | null
  readonly start?: number
  readonly end?: number
  /** Whether every byte that is lent is ASCII. */
  readonly ascii?: boolean
  /** Whether its value was not made, since its text says the same: only for a connection that takes bytes. */
  exact?: boolean
  /** Whether a number is not the double that stands for it; then `message/schema` judges both doubles beside it. */
  near?: boolean
  /** Whether an integer of 64 bits beyond ±(2^53 − 1) is in it. */
  big?: boolean
  /** Whether the value holds the text of their digits in the place of such integers. */
  digits?: boolean
  /**
   * Whether the value differs from what the text says: fields were stripped, or values transformed. Else the text goes
   * on byte for byte. Known only for a connection that takes bytes.
   */
  altered?: boolean
  /** Whether a reader of bytes has answered for `message/format` and `message/schema`. */
  read?: boolean
  /** Makes it last beyond the transport's call. To be called by whoever holds on to it. */
  keep?(): void
}

/** Built once for each user of a connection: a key that is made anew for each message is hashed anew for each. */
export interface BudgetKeys {
  /** Whose they are: `session.user`, as it was when they were made. */
  readonly of: string
  readonly user: string
  readonly ip: string
}

/** The least budgets of one connection that would have let pass all that came. */
export interface RateNeeds {
  readonly messages: NeededBudget
  readonly bytes: NeededBudget
}

/** What message controls know of the connection, and the per-connection numbers they keep there. */
export interface MessageConnection {
  readonly id: string
  readonly session: Session
  readonly request: HandshakeRequest
  /** When the message at hand came to be judged, ms since the epoch: read once for all controls. */
  judgedAt: number
  /** Theoretical arrival times (GCRA) of `message/rate` and of control frames, ms since the epoch. */
  messageTat: number
  /** Keys of the budgets that its user and its address share; written at the first message, since idle connections need none. */
  budgetKeys: BudgetKeys | null
  byteTat: number
  controlFrameTat: number
  /** The budgets that its messages would have needed, in report mode; null before the first message. */
  rateNeeds?: RateNeeds | null
  /** Whether its messages are delivered as text: as they came, unless they are `altered`. */
  readonly takesBytes?: boolean
}

/** A compiled message control. A synchronous verdict is never awaited. */
export type MessageCheck = (subject: MessageSubject, connection: MessageConnection) => Verdict | Promise<Verdict>

/** One control of the message door; null where the policy turned it off. */
export interface MessageControl {
  readonly id: ControlId
  compile(policy: Policy, parts: ControlContext): MessageCheck | null
}

/** A policy of which only these sections of `message` are looked at. */
export interface MessageOf<Sections> {
  readonly message: Readonly<Sections>
}
