import type { BackoffOptions } from './backoff.ts'
import type { TicketFetch } from './ticket-source.ts'

/** A message: JSON with a `type`. */
export interface TypedMessage {
  readonly type: string
}

/** A message whose type stands under another key than `type`. */
export type Message<D extends string> = { readonly [key in D]: string }

/** A binary message as it is sent. */
export type Bytes = ArrayBuffer | ArrayBufferView<ArrayBuffer>

/** How the client detects whether a silent connection still lives. Times in ms. */
export interface HeartbeatOptions {
  /** What it sends: a `text` of the policy's `message.heartbeat`. Default: the heartbeat of `sallyport.v1`, where that was negotiated. */
  readonly text?: string
  /** What the server answers to `text`. */
  readonly reply?: string
  /** Silence of the server after which it asks. Default 20 000. */
  readonly after?: number
  /** Longest wait for an answer. Default 8000. */
  readonly within?: number
  /** Longest wait after the page became visible or online, and after `open()`. Default 3000. */
  readonly awake?: number
}

/** The part of a WebSocket that is used; a browser's, Node's and the one of `ws` have it. */
export interface SocketLike {
  readonly bufferedAmount: number
  readonly readyState: number
  /** The negotiated subprotocol. */
  readonly protocol?: string
  binaryType?: string
  send(data: string | Bytes): void
  close(code?: number): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void
}

/** How a connection is made. */
export interface ConnectOptions<D extends string = 'type'> {
  /** Path of the ticket endpoint (default `/.sallyport/ticket`), the app's own source of a token (null: nobody is signed in), or false for none. */
  readonly ticket?: string | false | (() => string | null | Promise<string | null>)
  /** How the token travels; as the policy's `handshake.ticket.carrier`. Default `subprotocol`. */
  readonly carrier?: 'subprotocol' | 'first-message' | 'query'
  /** Name of the query parameter with the carrier `query`. Default `ticket`. */
  readonly parameter?: string
  /** The app's subprotocols. Default `['sallyport.v1']`. */
  readonly protocols?: readonly string[]
  readonly backoff?: BackoffOptions
  /** Greatest number of messages kept while there is no connection. Default 0: `send` answers false. */
  readonly queue?: number
  /** The key that names a message's type; as the policy's `message.discriminator`. Default `type`. */
  readonly discriminator?: D
  /** Lets `send` take bytes, and gives binary messages to `onBinary`. Default false: they are counted as ignored. */
  readonly binary?: boolean
  /** How a dead path is noticed; false: the client never asks. */
  readonly heartbeat?: HeartbeatOptions | false
  /** Lets a page connect to another origin than its own, with or without a ticket. Never with a URL that comes from outside. */
  readonly dangerouslyCrossOrigin?: boolean
  readonly WebSocket?: new (url: string, protocols?: string[]) => SocketLike
  readonly fetch?: TicketFetch
}

/**
 * `waiting`: between two attempts. `resting`: closed for idleness; `send` or `open` connects again, and so does a page with
 * listeners of messages once it is visible. `closed`: permanently, until `open`.
 */
export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'resting' | 'closed'

/** What happens to a connection, as opposed to what is said on it. */
export interface Lifecycle {
  /** The state changed. */
  readonly state: ConnectionState
  /** Messages pass now; with the carrier `first-message`, after the server has said `authenticated`. */
  readonly open: undefined
  /** An open connection, or an attempt at one (1006), ended. Nothing came through any more: 1006 with `SALLY_HEARTBEAT_LOST`. */
  readonly close: { readonly code: number; readonly reason: string }
  /** The next attempt comes in `delayMs`. */
  readonly retry: { readonly delayMs: number }
  /** The session is over: the user must sign in. With tickets only the ticket endpoint's 401 says so. */
  readonly signin: undefined
  /** Closed for idleness, in a page that is hidden or listens to no message. */
  readonly idle: undefined
  /** The server refused one message with this code; the connection lives. */
  readonly denied: { readonly code: string }
  /** It ended permanently: a close code, or the status of the ticket endpoint. */
  readonly stop: { readonly code: number }
  /** It ended permanently and this client, or its configuration, is at fault: a close code, a status, or 0 for an option that the WebSocket refuses. */
  readonly error: { readonly code: number }
}
