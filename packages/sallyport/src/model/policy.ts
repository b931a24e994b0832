import type { HandshakeRequest } from './handshake-request.ts'
import type { Logger } from './event.ts'
import type { Schema } from './schema-kinds.ts'
import type { Session, SessionResolver } from './session.ts'
import type { Budget, Store } from './store.ts'
import type { Awaitable, ControlId } from './verdict.ts'

/** Milliseconds, or text: `'30 seconds'`, `'1 minute'`, `'12 h'`. */
export type Duration = number | string
/** Bytes, or text: `'64 KiB'`, `'1 MB'`. */
export type Size = number | string
/**
 * How an integer of a message beyond ±(2^53 − 1) is treated, because a JavaScript number would round it. An integer of
 * up to 64 bits, signed or unsigned, can be delivered as a `bigint`, or as the text of its digits. Otherwise the
 * message is refused.
 */
export type BigIntegers = 'refuse' | 'text' | 'bigint'
/** `dangerouslyOff: true` turns the control off. `guard.report()` and an event at the start show it. */
export interface Off {
  readonly dangerouslyOff?: boolean
}
/** An amount per time. `burst` defaults to the amount. */
export interface RateInput {
  readonly per: Duration
  readonly burst?: number
}

/** How a ticket, or the app's own CSRF token, is sent. It is never sent in a cookie. */
export type Carrier = 'subprotocol' | 'first-message' | 'query'

/** The policy as a user writes it. A key that is left out has the secure default; see `docs/controls/`. */
export interface PolicyInput<S extends Session = Session, M extends SchemaMap = SchemaMap> {
  /** Name of the app in events. Default `sallyport`. */
  readonly name?: string
  /** Reverse proxies whose `X-Forwarded-*` (or `Forwarded`) header is trusted, as IPs or CIDRs. Default: none. */
  readonly proxy?: { readonly trust: readonly string[]; readonly header?: 'x-forwarded-for' | 'forwarded' }
  readonly handshake: {
    readonly transport?: Off & { readonly dangerouslyAllowPlaintext?: boolean }
    readonly host?: Off & { readonly allow?: readonly string[] }
    readonly request?: { readonly headerBytes?: Size; readonly headers?: number; readonly targetBytes?: Size }
    readonly origin:
      | {
          readonly allow: readonly string[]
          readonly dangerouslyAllowMissing?: boolean
          readonly dangerouslyAllowInsecure?: boolean
        }
      | { readonly dangerouslyAllowAnyOrigin: boolean }
    readonly 'fetch-metadata'?: Off
    readonly subprotocol?: Off & { readonly serve?: readonly string[]; readonly required?: boolean }
    readonly extensions?: {
      readonly deflate?: boolean | { readonly threshold?: Size; readonly windowBits?: number }
    }
    readonly rate?: Off & {
      readonly perIp?: RateInput & { readonly attempts: number }
      readonly perUser?: RateInput & { readonly attempts: number }
      readonly total?: RateInput & { readonly attempts: number }
    }
    readonly connections?: Off & {
      readonly total?: number
      readonly perIp?: number
      readonly strangersPerIp?: number
      readonly perUser?: number
    }
    /**
     * Finds the session as the HTTP side does: a resolver, or `{ dangerouslyAnonymous: true }` for a public endpoint.
     */
    readonly session: SessionResolver<S> | { readonly dangerouslyAnonymous: boolean }
    readonly ticket?: {
      /**
       * HMAC keys of 32 bytes or more, newest first. Older keys still verify. An undefined entry (an unset variable) is
       * ignored. Default: random for this process.
       */
      readonly secret?: string | readonly (string | undefined)[] | undefined
      readonly ttl?: Duration
      readonly carrier?: Carrier
      /** Name of the query parameter. Default `ticket`. */
      readonly parameter?: string
      /** Paths that a ticket may be requested for. Default: any path. */
      readonly paths?: readonly string[]
      /** Verifies the app's own CSRF token instead of a ticket. */
      readonly csrf?: (token: string, request: HandshakeRequest) => Awaitable<boolean>
      readonly dangerouslyWithoutTicket?: boolean
      /** Allows `guard.ticket(request)` without the address of the peer, for a host that does not know it. */
      readonly dangerouslyWithoutAddress?: boolean
    }
    /** The app's own rule for path, room or tenant. */
    readonly authorize?: (session: S, request: HandshakeRequest) => Awaitable<boolean>
  }
  readonly message: {
    readonly size?: {
      readonly bytes?: Size
      readonly fragments?: number
      /** Greatest size of the first message in first-message mode. */
      readonly unauthenticatedBytes?: Size
      readonly controlFrames?: RateInput & { readonly frames: number }
    }
    readonly rate?: Off &
      Partial<RateInput> & {
        readonly messages?: number
        readonly bytes?: Size
        readonly perUser?: RateInput & { readonly messages: number }
        readonly perIp?: RateInput & { readonly messages: number }
        /** Cost of a message by type. Default 1. */
        readonly cost?: { readonly [type: string]: number }
        readonly exceed?: 'close' | 'drop' | 'delay'
      }
    readonly format?: Off & {
      readonly data?: 'json' | 'text' | 'binary' | 'any'
      readonly depth?: number
      readonly width?: number
      /** What happens to integers beyond ±(2^53 − 1), up to 64 bits. Default `refuse`. */
      readonly bigIntegers?: BigIntegers
      readonly dangerouslyAllowKeys?: readonly string[]
    }
    /** Schema by message type, or `{ dangerouslyAcceptAnyMessage: true }`. */
    readonly schema: M | { readonly dangerouslyAcceptAnyMessage: boolean }
    /** The key that names a message's type. Default `type`. */
    readonly discriminator?: string
    /** What happens to fields that the schema does not declare. Default `strip`. */
    readonly unknownFields?: 'strip' | 'refuse'
    /** Number of refused messages of one connection within a minute that closes it. Default 5. */
    readonly strikes?: number
    readonly authorize?: (
      session: S,
      message: { readonly [key: string]: unknown },
      request: HandshakeRequest,
    ) => Awaitable<boolean>
    /** Refuses messages that are sent again, by the fields that hold their nonce and their time. */
    readonly replay?: { readonly nonce?: string; readonly time: string; readonly window?: Duration }
    readonly concurrency?: {
      readonly handlers?: number
      readonly background?: number
      readonly countListeners?: boolean
    }
    readonly outbound?: SchemaMap
    /**
     * Texts that the guard answers itself, for clients that cannot see pings. The app never receives them. Each has at
     * most 64 bytes.
     */
    readonly heartbeat?: readonly { readonly text: string; readonly reply: string }[]
  }
  readonly lifetime?: {
    readonly authentication?: { readonly deadline?: Duration }
    readonly heartbeat?: Off & { readonly interval?: Duration; readonly timeout?: Duration }
    readonly idle?: Off & { readonly after?: Duration }
    readonly age?: Off & { readonly max?: Duration }
    readonly session?: Off & { readonly recheck?: Duration; readonly grace?: Duration; readonly remember?: Duration }
    readonly backpressure?: { readonly bytes?: Size; readonly for?: Duration }
    readonly shutdown?: { readonly within?: Duration }
  }
  /**
   * Report mode: `true` for all controls, or the ids of some. These controls report what they would deny, and deny
   * nothing.
   */
  readonly report?: boolean | readonly ControlId[]
  /** Longest wait for an asynchronous control. Default 5 s. */
  readonly timeout?: Duration
  readonly store?: Store
  readonly events?: {
    readonly log?: Logger
    /** Key of the hashes that replace session and user in events. Default: random for this process. */
    readonly hashKey?: string
    /** The first event of a kind is logged at once. Later ones are only counted for this time. Default 10 s. */
    readonly window?: Duration
  }
}

/** Schemas by message type. */
export interface SchemaMap {
  readonly [type: string]: Schema
}

/** The frozen policy, with every default filled in, times in ms and sizes in bytes. `null` is a control that is off. */
export interface Policy {
  readonly name: string
  readonly proxy: { readonly trust: readonly string[]; readonly header: 'x-forwarded-for' | 'forwarded' }
  readonly handshake: {
    readonly transport: Readonly<Record<string, never>> | null
    readonly host: { readonly names: readonly string[] } | null
    readonly request: { readonly headerBytes: number; readonly headers: number; readonly targetBytes: number }
    readonly origin: { readonly allow: readonly string[]; readonly allowMissing: boolean } | null
    readonly 'fetch-metadata': Readonly<Record<string, never>> | null
    readonly subprotocol: { readonly serve: readonly string[]; readonly required: boolean } | null
    readonly extensions: { readonly threshold: number; readonly windowBits: number } | null
    readonly rate: { readonly perIp: Budget; readonly perUser: Budget; readonly total: Budget } | null
    readonly connections: {
      readonly total: number
      readonly perIp: number
      readonly strangersPerIp: number
      readonly perUser: number
    } | null
    readonly session: SessionResolver | null
    readonly ticket: TicketPolicy | null
    readonly authorize: ((session: Session, request: HandshakeRequest) => Awaitable<boolean>) | null
  }
  readonly message: {
    readonly size: {
      readonly bytes: number
      readonly fragments: number
      readonly unauthenticatedBytes: number
      readonly controlFrames: Budget
    }
    readonly rate: MessageRatePolicy | null
    readonly format: {
      readonly data: 'json' | 'text' | 'binary' | 'any'
      readonly depth: number
      readonly width: number
      readonly allowKeys: readonly string[]
      readonly bigIntegers: BigIntegers
    } | null
    readonly schema: {
      readonly types: SchemaMap
      readonly discriminator: string
      readonly unknownFields: 'strip' | 'refuse'
    } | null
    readonly discriminator: string
    readonly strikes: number
    readonly authorize:
      | ((
          session: Session,
          message: { readonly [key: string]: unknown },
          request: HandshakeRequest,
        ) => Awaitable<boolean>)
      | null
    readonly replay: { readonly nonce: string | null; readonly time: string; readonly windowMs: number } | null
    readonly concurrency: {
      readonly handlers: number
      readonly background: number
      readonly countListeners: boolean
    }
    readonly outbound: { readonly types: SchemaMap; readonly discriminator: string } | null
    readonly heartbeat: readonly { readonly text: string; readonly reply: string }[]
  }
  readonly lifetime: {
    readonly authentication: { readonly deadlineMs: number } | null
    readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number } | null
    readonly idle: { readonly afterMs: number } | null
    readonly age: { readonly maxMs: number } | null
    readonly session: { readonly recheckMs: number; readonly graceMs: number; readonly rememberMs: number } | null
    readonly backpressure: { readonly bytes: number; readonly forMs: number }
    readonly shutdown: { readonly withinMs: number }
  }
  readonly report: 'all' | ReadonlySet<ControlId>
  readonly timeoutMs: number
  readonly store: Store | null
  readonly events: { readonly log: Logger | null; readonly hashKey: string | null; readonly windowMs: number }
  /** Keys in the policy that weaken it: `handshake.origin.dangerouslyAllowMissing`. */
  readonly weakened: readonly { readonly path: string; readonly control: ControlId }[]
}

export interface TicketPolicy {
  readonly secrets: readonly string[] | null
  readonly ttlMs: number
  readonly carrier: Carrier
  readonly parameter: string
  readonly paths: readonly string[] | null
  readonly csrf: ((token: string, request: HandshakeRequest) => Awaitable<boolean>) | null
}

export interface MessageRatePolicy {
  readonly messages: Budget
  readonly bytes: Budget
  readonly perUser: Budget
  readonly perIp: Budget
  readonly cost: { readonly [type: string]: number }
  readonly exceed: 'close' | 'drop' | 'delay'
}
