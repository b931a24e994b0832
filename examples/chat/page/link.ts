import type { Incoming, Outgoing } from '../src/messages.ts'

/** A message that the page sends. */
export type Sent = Incoming[keyof Incoming]

/**
 * `resting`: closed for idleness until the page is used again. `ended`: the server says that this session may not go
 * on. `stopped`: it will not come back by itself, though the session may hold.
 */
export type LinkState = 'connecting' | 'open' | 'resting' | 'ended' | 'stopped'

export interface LinkListeners {
  message(message: Outgoing): void
  /** The server refused a message; `code` is all that it tells. */
  refused(code: string): void
  state(state: LinkState): void
}

/** The page's connection, which mends itself until it ends. */
export interface Link {
  /** False when the message could not be sent now. */
  send(message: Sent): boolean
  close(): void
}

/** Where the chat's WebSocket is. */
export function socketUrl(): string {
  return `wss://${location.host}/ws`
}
