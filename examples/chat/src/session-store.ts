import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { SessionData } from 'express-session'

declare module 'express-session' {
  interface SessionData {
    /** Set at sign-in; a session without it is nobody's. */
    userId: number
  }
}

/** What the session cookie says of SameSite; `unset` leaves the browser to its default. */
export type SameSite = 'none' | 'lax' | 'strict' | 'unset'

/** How long a sign-in lasts, in ms. */
const SESSION_MS = 12 * 60 * 60 * 1000

type Done = (error?: unknown) => void

/** express-session's store over the chat's database: sign-ins outlive a restart. Session ids are kept as hashes alone. */
class SqliteSessionStore extends session.Store {
  readonly #get
  readonly #set
  readonly #destroy
  readonly #sweep

  constructor(database: DatabaseSync) {
    super()
    this.#get = database.prepare('SELECT data FROM sessions WHERE sid_hash = ? AND expires_at > ?')
    this.#set = database.prepare(
      `INSERT INTO sessions (sid_hash, user_id, expires_at, data) VALUES (?, ?, ?, ?)
       ON CONFLICT (sid_hash) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at, data = excluded.data`,
    )
    this.#destroy = database.prepare('DELETE FROM sessions WHERE sid_hash = ?')
    this.#sweep = database.prepare('DELETE FROM sessions WHERE expires_at <= ?')
  }

  override get(sid: string, callback: (error: unknown, data?: SessionData | null) => void): void {
    this.#attempt(callback, () => {
      const row = this.#get.get(hashed(sid), Date.now()) as { readonly data: string } | undefined
      return row === undefined ? null : (JSON.parse(row.data) as SessionData)
    })
  }

  override set(sid: string, data: SessionData, callback?: Done): void {
    this.#attempt(callback, () => {
      this.#sweep.run(Date.now())
      this.#set.run(hashed(sid), data.userId ?? null, expiry(data), JSON.stringify(data))
    })
  }

  override touch(sid: string, data: SessionData, callback?: () => void): void {
    this.set(sid, data, callback)
  }

  override destroy(sid: string, callback?: Done): void {
    this.#attempt(callback, () => {
      this.#destroy.run(hashed(sid))
    })
  }

  #attempt<T>(callback: ((error: unknown, value?: T) => void) | undefined, work: () => T): void {
    let value: T
    try {
      value = work()
    } catch (error) {
      callback?.(error)
      return
    }
    callback?.(null, value)
  }
}

function hashed(sid: string): string {
  return createHash('sha256').update(sid).digest('base64url')
}

function expiry(data: SessionData): number {
  const expires = data.cookie.expires
  return expires === null || expires === undefined ? Date.now() + SESSION_MS : new Date(expires).getTime()
}

/** The secret that signs the cookies: made once, kept in the data folder, readable by its owner alone. */
export function readOrMakeSecret(folder: string): string {
  const path = join(folder, 'session-secret')
  try {
    writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(path, 'utf8')
}

/**
 * The app's express-session. `__Host-` binds the cookie to exactly this host: a sibling subdomain cannot plant one
 * (RFC 6265bis §4.1.3.2).
 */
export function sessionMiddleware(database: DatabaseSync, secret: string, sameSite: SameSite): RequestHandler {
  return session({
    name: '__Host-chat',
    secret,
    store: new SqliteSessionStore(database),
    resave: false,
    saveUninitialized: false,
    cookie: {
      httpOnly: true,
      secure: true,
      path: '/',
      maxAge: SESSION_MS,
      ...(sameSite === 'unset' ? {} : { sameSite }),
    },
  })
}
