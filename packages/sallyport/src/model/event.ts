import type { Level } from './denials.ts'
import type { Code, ControlId } from './verdict.ts'

/** The subject of an event. */
export type EventKind =
  | 'denial'
  | 'open'
  | 'close'
  | 'authenticated'
  | 'ticket'
  | 'revoked'
  | 'weakened'
  | 'reporting'
  | 'shutdown'
  | 'failure'
  | 'store'
  | 'notice'

/**
 * One decision in redacted, structured form (OWASP Logging Vocabulary, ASVS 16.2). It contains no token, cookie,
 * message content or session id. `session` and `user` are keyed hashes.
 */
export interface SallyEvent {
  readonly kind: EventKind
  /** ISO 8601, UTC. */
  readonly datetime: string
  /** The policy's `name`. */
  readonly appid: string
  /** Name from the OWASP Logging Vocabulary with its parameters: `malicious_cors:…`. */
  readonly event: string
  readonly level: Level
  readonly description: string
  readonly control?: ControlId
  readonly code?: Code
  /** False if report mode let it pass. */
  readonly enforced?: boolean
  readonly detail?: string
  readonly remedy?: string
  /** Id of the connection or of the attempt. */
  readonly connection?: string
  readonly session?: string
  readonly user?: string
  readonly source_ip?: string
  readonly origin?: string
  readonly useragent?: string
  readonly hostname?: string
  readonly protocol?: string
  /** Only the path, because a query may contain a token. */
  readonly request_uri?: string
  readonly request_method?: string
  readonly close_code?: number
  /** At the close: how long the connection was open, in ms. */
  readonly lived_ms?: number
  /** In a summary line of the log: number of events of this kind since the last line. */
  readonly count?: number
}

/** The methods that are used of pino, console and most loggers. */
export interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** `events` of a policy, after it was read. */
export interface EventsSection {
  readonly log: Logger | null
  /** Key of the hashes that stand for session and user; null for a random one. */
  readonly hashKey: string | null
  /** A kind of event is logged at once, then counted for this long, in ms. */
  readonly windowMs: number
}
