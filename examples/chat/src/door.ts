import type { Express, RequestHandler } from 'express'
import type { SallyEvent } from 'sallyport'
import type { Certificate } from './certificate.ts'
import type { ChatStore, User } from './chat-store.ts'
import type { Hub } from './hub.ts'

/** Something worth a line that is no event of the guard: the attacker's server and the unguarded handler tell these. */
export interface Notice {
  readonly from: 'attacker' | 'unguarded'
  readonly origin: string
  readonly text: string
}

/** What stands between the network and the chat is built from this, guarded or not. */
export interface DoorParts {
  readonly port: number
  readonly origin: string
  readonly certificate: Certificate
  readonly site: Express
  readonly sessions: RequestHandler
  readonly store: ChatStore
  readonly hub: Hub
  readonly event: (event: SallyEvent) => void
  readonly notice: (notice: Notice) => void
}

/** The running server. */
export interface Door {
  /** A session was signed out over HTTP. */
  signedOut(sessionId: string): void | Promise<void>
  /** An account was deleted: nothing may act for it any longer. */
  endUser(user: User): void | Promise<void>
  /** Drains the connections and stops listening. */
  close(): Promise<void>
}
