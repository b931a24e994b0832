import { isClaim } from './header-claims.ts'

/** Headers that end at each hop (RFC 9110 §7.6.1), or that the gateway writes itself. */
const HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'host',
])
/**
 * A header name as CGI and WSGI servers read it: without case, and with one sign for all that is neither letter nor digit,
 * so that `X_Sallyport_User` is no way around, nor `X.Sallyport.User`, which lighttpd makes the same variable of.
 */
export function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, '-')
}

/** The names that a Connection header makes hop-by-hop, as `canonicalName` writes them. */
export function nominatedBy(connection: string | undefined): ReadonlySet<string> {
  return connection === undefined ? NONE : new Set(connection.split(',').map(token => canonicalName(token.trim())))
}

const NONE: ReadonlySet<string> = new Set()

/** The names whose verdict is kept: those of honest clients are few, and a flood of others is judged each time. */
const MOST_KEPT = 1024

/** Whether a header of the client may reach the backend; `nominated`: what its Connection header takes off. */
export type NameFilter = (name: string, nominated: ReadonlySet<string>) => boolean

/**
 * Decides which headers of a client may reach a backend. Removed are those that end here, those that the gateway writes,
 * and those that claim what only a proxy or a login may say.
 *
 * @param reserved names that the gateway writes
 * @param allowed claims that the operator lets a client make
 */
export function createNameFilter(reserved: readonly string[], allowed: readonly string[] = []): NameFilter {
  const own = new Set(reserved.map(canonicalName))
  const believed = new Set(allowed.map(canonicalName))
  /** The canonical name of what passes; null for what does not. */
  const verdicts = new Map<string, string | null>()
  const judge = (name: string): string | null => {
    const plain = canonicalName(name)
    return HOP.has(plain) || own.has(plain) || (isClaim(plain) && !believed.has(plain)) ? null : plain
  }
  return (name, nominated) => {
    let plain = verdicts.get(name)
    if (plain === undefined) {
      plain = judge(name)
      if (verdicts.size < MOST_KEPT && name.length <= 64) verdicts.set(name, plain)
    }
    return plain !== null && !nominated.has(plain)
  }
}
