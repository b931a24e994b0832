import type { PolicyInput } from 'sallyport'

/**
 * A gateway's configuration, parsed: units are ms and bytes, secrets are resolved, files named by `file:` are read,
 * references hold. Only `src/config` makes one; what it holds is frozen.
 */
export interface GatewayConfig {
  /** Name of the app in events and logs. */
  readonly name: string
  readonly listeners: readonly ListenerConfig[]
  /** No two serve the same host and path. */
  readonly routes: readonly RouteConfig[]
  readonly upstreams: { readonly [name: string]: UpstreamConfig }
  /** Reverse proxies in front whose word about the client is believed, for every route. */
  readonly proxy: PolicyInput['proxy'] | null
  readonly admin: AdminConfig | null
  readonly log: LogConfig
  /** Processes that share the listeners; 1 is this one alone. */
  readonly workers: number
  /** What several gateways share; null: each counts for itself. */
  readonly store?: StoreConfig | null
  /** How long a stopping gateway lets connections go, in ms. */
  readonly drainMs: number
}

/** A Redis or Valkey, by the optional peer `redis`. */
export interface StoreConfig {
  /** `redis://` or `rediss://`, with user and password where it wants them. */
  readonly url: string
  /** 32 bytes or more, the same on every gateway: keys are hashed under it, tickets and event hashes derived from it. */
  readonly secret: string
  /** Begins every key. */
  readonly prefix: string
}

/** Where clients come in: a TCP port or a unix socket. */
export interface ListenerConfig {
  readonly name: string
  readonly address: { readonly host: string; readonly port: number } | { readonly socket: string }
  /** PEM files; read at start and again at each reload. Null: plain, for loopback or behind a proxy that ends TLS. */
  readonly tls: TlsFiles | null
  /** Peers (IPs or CIDRs) that must begin with a PROXY protocol header (v1 or v2); null: nobody sends one. */
  readonly proxyProtocol: { readonly trust: readonly string[] } | null
}

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

/** What one host and path leads to, and what is allowed there. */
export interface RouteConfig {
  /** Unique; names the route in logs, metrics and `explain`. */
  readonly id: string
  /** Lower-case names as in Host, without port; empty: every name that no other route has. */
  readonly hosts: readonly string[]
  /** The path of the WebSocket, exact: `/ws`. Ends in `/*` for everything below it. */
  readonly path: string
  /** A key of `upstreams`. */
  readonly upstream: string
  readonly policy: RoutePolicy
  readonly session: SessionConfig
  readonly relay: RelayConfig
  /** Plain HTTP that goes to an upstream, so that one origin can be served whole; null: none does. */
  readonly http: HttpConfig | null
  /** Where tickets are issued. Default `/.sallyport/ticket`. */
  readonly ticketPath: string
  /** Where the page imports `sallyport/client` from; null: nowhere. Default: `client.js` beside `ticketPath`. */
  readonly clientPath: string | null
}

/** The sections of a policy, exactly as in the library, except what the gateway itself provides. */
export interface RoutePolicy {
  readonly handshake: Omit<PolicyInput['handshake'], 'session' | 'authorize'>
  readonly message: Omit<PolicyInput['message'], 'authorize'>
  readonly lifetime?: PolicyInput['lifetime']
  readonly report?: PolicyInput['report']
  readonly timeout?: PolicyInput['timeout']
}

/** How the HTTP side's session is found. */
export type SessionConfig = ForwardAuthConfig | JwtConfig | SignedCookieConfig | { readonly kind: 'anonymous' }

/** A subrequest with the client's own cookies to the app: 2xx is yes, 401 and 403 no, all else "cannot tell" (503). */
export interface ForwardAuthConfig {
  readonly kind: 'forwardAuth'
  readonly url: string
  readonly timeoutMs: number
  /** Request headers that are passed on. Default: Cookie and Authorization. */
  readonly requestHeaders: readonly string[]
  /** Response header that names the session. Null: a hash of `cookies` stands for it, or the user where none is named. */
  readonly sessionHeader: string | null
  /** Null: the session stands for its user. A header that is named and absent is "cannot tell". */
  readonly userHeader: string | null
  /** Cookies that are the session, where the endpoint names none. A request without them has no session. */
  readonly cookies?: readonly string[] | null
  /** Seconds or ms since the epoch, or an HTTP date. */
  readonly expiresHeader: string | null
  /** Longest time that an answer is used again, in ms; Cache-Control and Expires shorten it. */
  readonly cacheMs: number
}

/** A JWT from a cookie or the Authorization header. */
export interface JwtConfig {
  readonly kind: 'jwt'
  /** Where keys are fetched (https, or http on loopback), or the text of a key set. */
  readonly jwks: string | null
  /** An HMAC secret, or a public key as PEM or JWK. */
  readonly secret: string | null
  readonly algorithms: readonly string[]
  readonly issuer: string
  readonly audience: string
  readonly cookie: string | null
  readonly header: string | null
}

/** A cookie signed as express-session does it; its value is session and user. */
export interface SignedCookieConfig {
  readonly kind: 'signedCookie'
  readonly cookie: string
  /** Newest first. */
  readonly secrets: readonly string[]
}

/** A group of backends of which each connection gets one. */
export interface UpstreamConfig {
  /** `ws://` or `http://host:port`, `wss://` or `https://host:port`, `unix:/path`. At least one. */
  readonly targets: readonly string[]
  readonly balance: 'round-robin' | 'least-connections'
  /** TCP, TLS and the handshake's answer together, at one target, in ms. Default 5000. */
  readonly connectTimeoutMs: number
  /** How long a target is passed over after `failures` failed connects in a row, or a failed probe, in ms. Default 10 000. */
  readonly ejectMs: number
  /** Default 1. */
  readonly failures: number
  /** A GET now and then: anything but 2xx or 3xx takes the target out until it answers again. */
  readonly health: HealthConfig | null
  /** For wss and https targets. */
  readonly tls: UpstreamTls | null
}

export interface HealthConfig {
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
}

export interface UpstreamTls {
  /** PEM text of the CAs to trust instead of the system's. */
  readonly ca: string | null
  /** Name to verify instead of the target's. */
  readonly serverName: string | null
  readonly dangerouslyAcceptAnyCertificate: boolean
}

/** What the backend learns about the client, and the bounds on the bytes that the relay holds between the two. */
export interface RelayConfig {
  /** Host that the backend sees: the target's own (default), the client's, or a fixed one. */
  readonly host: 'upstream' | 'client' | { readonly fixed: string }
  readonly origin: 'pass' | 'strip' | { readonly fixed: string }
  /** Which cookies the backend sees: all (default), none, or these. */
  readonly cookies: 'pass' | 'strip' | readonly string[]
  /** Path that the backend sees: the client's (default), or this prefix in place of the route's. */
  readonly path: string | null
  /** Further header lines, name to value; a client cannot forge them. */
  readonly headers: { readonly [name: string]: string }
  /** Headers of the client that pass although they claim what only a proxy or a login may say. Default none. */
  readonly dangerouslyPassHeaders?: readonly string[]
  /** X-Forwarded-For, -Proto, -Host of what the gateway knows. Default true. What the client says of it never passes. */
  readonly forwarded: boolean
  readonly identity: IdentityConfig
  /** Greatest message of the backend, in bytes. Default 16 MiB. */
  readonly messageBytes: number
  /** Bytes that may wait for a side that does not read before the other is paused. Default 256 KiB. */
  readonly bufferBytes: number
  /** How long a side may take nothing before the pair is closed (1013), in ms. Default 30 000. */
  readonly stallMs: number
  /** A backend that answers no ping within this time is lost, in ms; null: it is not pinged. Default 30 000. */
  readonly heartbeatMs: number | null
}

/** Who the backend is told that the client is: null is "not told". */
export interface IdentityConfig {
  /** Default `X-Sallyport-Session`. */
  readonly sessionHeader: string | null
  /** Default `X-Sallyport-User`. */
  readonly userHeader: string | null
  /** Default `X-Sallyport-Connection`: the id in events. */
  readonly connectionHeader: string | null
  readonly jwt: IdentityJwt | null
}

/** A short-lived JWT for a backend that trusts signatures rather than the network. */
export interface IdentityJwt {
  /** Default `X-Sallyport-Identity`. */
  readonly header: string
  /** HS256 secret of 32 bytes or more, or a PKCS#8 PEM private key (ES256, EdDSA, RS256). */
  readonly key: string
  readonly algorithm: 'HS256' | 'ES256' | 'EdDSA' | 'RS256'
  readonly issuer: string
  readonly audience: string
  /** Default 60 000. */
  readonly ttlMs: number
}

/** Plain HTTP of a route's hosts. */
export interface HttpConfig {
  /** Prefix, `/` for all. Longest match of all routes of the host wins. */
  readonly path: string
  readonly upstream: string
  /** Longest wait for the head of the answer, in ms. Default 60 000. */
  readonly timeoutMs: number
  /** What no backend gets: `/path`, `/path/*`, `?name` or `?name=value`, however it is spelt. Default: `?transport=polling`. */
  readonly refuse?: readonly string[]
}

/** The operator's door: never on a public address. */
export interface AdminConfig {
  readonly address: { readonly host: string; readonly port: number } | { readonly socket: string }
  readonly token: string
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly format: 'json' | 'text'
}
