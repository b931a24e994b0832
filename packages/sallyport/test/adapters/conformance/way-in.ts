import type { SallyEvent } from 'sallyport'
import type { ToldEvents } from '../../support/told-events.ts'

/** What a way in may be unable to do. */
export type Ability =
  /** Carries frames of RFC 6455, so that a peer can send bad or fragmented ones. */
  | 'frames'
  /** Carries binary messages. */
  | 'binary'
  /** Tells each side the close code of the other. */
  | 'close codes'
  /** Pings peers by the guard's own heartbeat. */
  | 'heartbeat'

/** One way in, as the suite drives it. */
export interface WayIn {
  readonly name: string
  /** What it cannot do, each with the reason. What turns out to work all the same fails. */
  readonly cannot: Partial<Readonly<Record<Ability, string>>>
  /** Starts a server with {@link policyOf} and the app of `app.ts`. It closes after the test. */
  start(part: PolicyPart): Promise<Running>
}

/** Sections laid over those of the suite's own policy. */
export interface PolicyPart {
  readonly handshake?: object
  readonly message?: object
  readonly lifetime?: object
  readonly report?: true
}

/** A running server. */
export interface Running extends ToldEvents {
  readonly origin: string
  readonly app: AppRecord
  readonly guard: {
    revoke(target: { readonly session: string }): Promise<void>
    drain(options: { readonly withinMs: number }): Promise<void>
    counters(): { readonly open: number }
  }
  /** A ticket for a session, as the app's page gets it. */
  ticket(sid: string): Promise<string>
  /** Connects. Rejects with a {@link Refused} where the handshake door denies. */
  dial(dialling: Dialling): Promise<Client>
  close(): Promise<void>
}

/** What the app got. */
export interface AppRecord {
  /** Messages in order. */
  readonly handled: unknown[]
  /** The close code of the next connection that ended, as the app is told. */
  closed(): Promise<number>
}

/** Null leaves a part out. */
export interface Dialling {
  readonly origin: string | null
  readonly sid: string | null
  readonly ticket: string | null
  /** False: pings are not answered. Default true. */
  readonly answersPings?: boolean
}

/** A raw client: it sends what the test says, and throws for what its transport has no form for. */
export interface Client {
  /** Sends the JSON text of one object with a `type`. */
  say(json: string): void
  sayBinary(bytes: Uint8Array): void
  /** The next message of the app or the guard, parsed. */
  next(): Promise<{ readonly [key: string]: unknown }>
  /** Resolves with the next ping that comes. */
  pinged(): Promise<void>
  /** Writes bytes below the frames. */
  write(bytes: Uint8Array): void
  /** Sends one message in fragments, with a ping between them. */
  sayInFragments(json: string): void
  stopReading(): void
  close(code: number): void
  /** Ends the socket at once. */
  cut(): void
  /** Resolves once the socket is gone: the code that the server sent, or 1006. */
  readonly ended: Promise<number>
}

/** The answer to a handshake that was denied. */
export class Refused extends Error {
  readonly status: number
  readonly body: string

  constructor(status: number, body: string) {
    super(`refused: ${status} ${body}`)
    this.status = status
    this.body = body
  }
}

/** Matches the event of a denial. */
export const denialOf =
  (code: string, enforced = true) =>
  (event: SallyEvent): boolean =>
    event.kind === 'denial' && event.code === code && event.enforced === enforced
