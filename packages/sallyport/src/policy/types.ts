import type { Session, SessionResolver } from '../model/session.ts'
import type { SchemaMap } from '../model/schema-kinds.ts'
import type { EventsSection } from '../model/event.ts'
import type { Store } from '../model/store.ts'
import type { ControlId } from '../model/verdict.ts'
import type { ProxySection } from '../request/client-address.ts'
import type { HandshakeRule } from '../controls/handshake/authorize.ts'
import type { ConnectionsInput } from '../controls/handshake/connections.ts'
import type { ExtensionsInput } from '../controls/handshake/extensions.ts'
import type { FetchMetadataInput } from '../controls/handshake/fetch-metadata.ts'
import type { HostInput } from '../controls/handshake/host.ts'
import type { OriginInput } from '../controls/handshake/origin.ts'
import type { RateOfHandshakesInput } from '../controls/handshake/rate.ts'
import type { RequestInput } from '../controls/handshake/request.ts'
import type { SubprotocolInput } from '../controls/handshake/subprotocol.ts'
import type { TicketInput } from '../controls/handshake/ticket.ts'
import type { TransportInput } from '../controls/handshake/transport.ts'
import type { AgeInput } from '../controls/lifetime/age.ts'
import type { AuthenticationInput } from '../controls/lifetime/authentication.ts'
import type { BackpressureInput } from '../controls/lifetime/backpressure.ts'
import type { HeartbeatInput } from '../controls/lifetime/heartbeat.ts'
import type { IdleInput } from '../controls/lifetime/idle.ts'
import type { SessionChecksInput } from '../controls/lifetime/session.ts'
import type { ShutdownInput } from '../controls/lifetime/shutdown.ts'
import type { MessageRule } from '../controls/message/authorize.ts'
import type { ConcurrencyInput } from '../controls/message/concurrency.ts'
import type { FormatInput } from '../controls/message/format.ts'
import type { MessageRateInput, RateBesideInput } from '../controls/message/rate.ts'
import type { ReplayInput } from '../controls/message/replay.ts'
import type { SchemaBesideInput } from '../controls/message/schema-keys.ts'
import type { SizeInput } from '../controls/message/size.ts'
import type { DEFINITIONS } from './definitions.ts'
import type { ProxyInput } from './proxy-section.ts'
import type { EventsInput, OwnInput } from './root-keys.ts'

/** The policy as a user writes it. A key that is left out has the secure default; see `docs/controls/`. */
export interface PolicyInput<S extends Session = Session, M extends SchemaMap = SchemaMap> extends OwnInput {
  /** Reverse proxies whose `X-Forwarded-*` (or `Forwarded`) is believed, as IPs or CIDRs. Default: none. */
  readonly proxy?: ProxyInput
  readonly handshake: {
    readonly transport?: TransportInput
    readonly host?: HostInput
    readonly request?: RequestInput
    readonly origin: OriginInput
    readonly 'fetch-metadata'?: FetchMetadataInput
    readonly subprotocol?: SubprotocolInput
    readonly extensions?: ExtensionsInput
    readonly rate?: RateOfHandshakesInput
    readonly connections?: ConnectionsInput
    /** How the HTTP side's session is found: a resolver, or `{ dangerouslyAnonymous: true }` for a public endpoint. */
    readonly session: SessionResolver<S> | { readonly dangerouslyAnonymous: boolean }
    readonly ticket?: TicketInput
    /** The app's own rule for path, room or tenant. */
    readonly authorize?: HandshakeRule<S>
  }
  readonly message: SchemaBesideInput &
    RateBesideInput & {
      readonly size?: SizeInput
      readonly rate?: MessageRateInput
      readonly format?: FormatInput
      /** Schema by message type, or `{ dangerouslyAcceptAnyMessage: true }`. */
      readonly schema: M | { readonly dangerouslyAcceptAnyMessage: boolean }
      readonly authorize?: MessageRule<S>
      readonly replay?: ReplayInput
      readonly concurrency?: ConcurrencyInput
      readonly outbound?: SchemaMap
    }
  readonly lifetime?: {
    readonly authentication?: AuthenticationInput
    readonly heartbeat?: HeartbeatInput
    readonly idle?: IdleInput
    readonly age?: AgeInput
    readonly session?: SessionChecksInput
    readonly backpressure?: BackpressureInput
    readonly shutdown?: ShutdownInput
  }
  readonly events?: EventsInput
}

type Definition = (typeof DEFINITIONS)[number]

/** The sections of a door after they were read, by the name of their control. */
type SectionsOf<Door extends string> = {
  readonly [D in Definition as D['id'] extends `${Door}/${infer Name}` ? Name : never]: ReturnType<D['read']>
}

/** The keys beside the sections of a door. */
type BesideOf<Id extends string> =
  Extract<Definition, { readonly id: Id }> extends { readBeside(...given: never[]): infer B } ? B : unknown

/** The frozen policy: every default filled in, every unit resolved to ms and bytes. `null` is a control that is off. */
export interface Policy {
  readonly name: string
  readonly proxy: ProxySection
  readonly handshake: SectionsOf<'handshake'>
  readonly message: SectionsOf<'message'> & BesideOf<'message/schema'> & BesideOf<'message/rate'>
  readonly lifetime: SectionsOf<'lifetime'>
  readonly report: 'all' | ReadonlySet<ControlId>
  readonly timeoutMs: number
  readonly store: Store | null
  readonly events: EventsSection
  /** Keys that weaken, as written: `handshake.origin.dangerouslyAllowMissing`. */
  readonly weakened: readonly { readonly path: string; readonly control: ControlId }[]
}
