import type { Level } from './denials.ts'
import type { DenialCode } from './denials.ts'
import type { ControlId } from './verdict.ts'

/** What an event is about. */
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
 * One decision, told in redacted, structured form (OWASP Logging Vocabulary, ASVS 16.2). It bears no token, cookie,
 * message content or session id: `session` and `user` are keyed hashes.
 */
export interface SallyEvent {
  readonly kind: EventKind
  /** ISO 8601, UTC. */
  readonly datetime: string
  /** The policy's `name`. */
  readonly appid: string
  /** OWASP vocabulary name and its parameters: `malicious_cors:…`. */
  readonly event: string
  readonly level: Level
  readonly description: string
  readonly control?: ControlId
  readonly code?: DenialCode
  /** False where report mode let it pass. */
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
  /** The path alone: queries may bear tokens. */
  readonly request_uri?: string
  readonly request_method?: string
  readonly close_code?: number
  /** Milliseconds that the connection lived, at its close. */
  readonly lived_ms?: number
  /** In a log's summary line: how many of this kind came since the last line. */
  readonly count?: number
}

/** The part of pino, console and most loggers that is used. */
export interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
