export type { BackoffOptions } from './backoff.ts'
export { type Connection, connect } from './connection.ts'
export type { Off } from './listeners.ts'
export type {
  Bytes,
  ConnectionState,
  ConnectOptions,
  HeartbeatOptions,
  Lifecycle,
  Message,
  SocketLike,
  TypedMessage,
} from './options.ts'
export type { TicketFetch } from './ticket-source.ts'
