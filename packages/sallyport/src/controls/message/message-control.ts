import type { HandshakeRequest } from '../../model/handshake-request.ts'
import type { Verdict } from '../../model/verdict.ts'
import type { Session } from '../../model/session.ts'
import type { NeededBudget } from './needed-budget.ts'

/** One message on its way through the door. Each control writes its results for the later ones. */
export interface MessageSubject {
  /** Length after inflation, in bytes. */
  readonly bytes: number
  /** The text of a text message. Null for a binary one. It is created at the first access. */
  readonly text: string | null
  /** The bytes of a binary message. Null for a text message. */
  readonly data: Uint8Array | null
  /** Parsed by `message/format`, then replaced by the value that `message/schema` accepted. */
  value: unknown
  /** The declared type, written by `message/schema`. Null if any message is accepted. */
  type: string | null
  /**
   * The buffer with the bytes `lent[start..end)` of a text that no code has read yet. It belongs to the transport and
   * is valid until its call returns.
   */
  readonly lent?: Buffer | null
  readonly start?: number
  readonly end?: number
  /** Whether all lent bytes are ASCII. */
  readonly ascii?: boolean
  /** Whether the value was not created because its text says the same. Only for a connection that takes bytes. */
  exact?: boolean
  /**
   * Whether a number differs from the double that represents it. Then `message/schema` also judges the two neighbouring
   * doubles.
   */
  near?: boolean
  /** Whether it contains an integer of 64 bits beyond ±(2^53 − 1). */
  big?: boolean
  /** Whether the value contains such integers as the text of their digits. */
  digits?: boolean
  /**
   * Whether the value differs from the text: fields were stripped, or values transformed. If not, the text is passed on
   * byte for byte. Known only for a connection that takes bytes.
   */
  altered?: boolean
  /** Whether a reader of bytes has decided for `message/format` and `message/schema`. */
  read?: boolean
  /** Makes the message valid after the transport's call. Code that keeps the message must call it. */
  keep?(): void
}

/**
 * Built once for each user of a connection. A key that is built for each message would also be hashed for each message.
 */
export interface BudgetKeys {
  /** The owner: `session.user` at the time when the keys were built. */
  readonly of: string
  readonly user: string
  readonly ip: string
}

/** The smallest budgets of one connection with which all its messages would have passed. */
export interface RateNeeds {
  readonly messages: NeededBudget
  readonly bytes: NeededBudget
}

/** What message controls know of the connection, and the numbers that they keep there. */
export interface MessageConnection {
  readonly id: string
  readonly session: Session
  readonly request: HandshakeRequest
  /** When the present message reached the door, in ms since the epoch. It is read once for all controls. */
  judgedAt: number
  /** Theoretical arrival times (GCRA) of `message/rate` and of control frames, in ms since the epoch. */
  messageTat: number
  /**
   * Keys of the budgets shared by its user and by its address. Written at the first message, because idle connections
   * need none.
   */
  budgetKeys: BudgetKeys | null
  byteTat: number
  controlFrameTat: number
  /** In report mode, the budgets that its messages would have needed. Null before the first message. */
  rateNeeds?: RateNeeds | null
  /** Whether its messages are delivered as text: unchanged, unless they are `altered`. */
  readonly takesBytes?: boolean
}

/** A compiled message control. A synchronous verdict is used at once, without `await`. */
export type MessageCheck = (subject: MessageSubject, connection: MessageConnection) => Verdict | Promise<Verdict>

/** A policy of which only these sections of `message` are used. */
export interface MessageOf<Sections> {
  readonly message: Readonly<Sections>
}
