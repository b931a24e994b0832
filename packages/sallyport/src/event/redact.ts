import { createHmac, createSecretKey } from 'node:crypto'
import type { Randomness } from '../model/runtime.ts'

/** Greatest lengths of what the peer wrote, in UTF-16 units. */
export const FIELD_BOUNDS: Readonly<Record<'detail' | 'host' | 'ip' | 'origin' | 'path' | 'useragent', number>> = {
  detail: 300,
  host: 255,
  ip: 64,
  origin: 200,
  path: 200,
  useragent: 200,
}

/** What breaks or hides a line of a log: controls (ANSI escapes, CR, LF), bidi and zero-width marks, line separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu

/**
 * Text that is safe in one line of any log: what is unprintable becomes one `�` a run, so that it shows that something
 * was there, and what is longer than `max` ends in `…`.
 */
export function clean(text: string, max: number): string {
  // Cut first: a peer's megabyte is not worth a scan.
  const head = text.length > max ? text.slice(0, Math.max(0, max - 1)) : text
  const shown = head.replace(UNPRINTABLE, '�')
  return text.length > max ? `${shown}…` : shown
}

/** What a URL may contain besides its place: everything from the first `?`, `#` or `;` on, also percent-encoded. */
const AFTER_PATH = /(?:[?#;]|%3f|%23|%3b).*$/is
const SCHEME_AND_AUTHORITY = /^[a-z][a-z\d+.-]*:\/*[^/\\?#]*/i

/** The path of a request target: without query, fragment, path parameters (`;jsessionid=…`) or, in absolute form, user and host. */
export function cleanPath(target: string): string {
  const path = target.slice(0, 2048).replace(AFTER_PATH, '').replace(SCHEME_AND_AUTHORITY, '')
  return clean(path === '' ? '/' : path, FIELD_BOUNDS.path)
}

const USER = /^([a-z][a-z\d+.-]*:\/{0,2})?.*@/is

/**
 * An Origin or Host as the peer wrote it, without user, query or fragment: an honest one has none, a hostile one may
 * carry anything. `…@` shows that there was a user.
 */
export function cleanOrigin(origin: string, max: number = FIELD_BOUNDS.origin): string {
  const shown = origin
    .slice(0, 2048)
    .replace(/(?:[?#]|%3f|%23).*$/is, '')
    .replace(USER, '$1…@')
  return clean(shown, max)
}

/** Keyed hashes that stand for a session and a user: the same one always gets the same, and without the key nobody can try names. */
export interface Redactor {
  session(id: string): string
  user(id: string): string
}

/** HMAC-SHA-256, cut to 16 hexadecimal digits. Without a key a random one is made: hashes then compare within this process only. */
export function createRedactor(hashKey: string | null, { randomBytes }: Pick<Randomness, 'randomBytes'>): Redactor {
  const key = createSecretKey(hashKey === null || hashKey === '' ? randomBytes(32) : Buffer.from(hashKey, 'utf8'))
  const hash = (kind: string, id: string): string =>
    createHmac('sha256', key).update(kind).update(id).digest('hex').slice(0, 16)
  return { session: id => hash('session\0', id), user: id => hash('user\0', id) }
}
