import { createHash } from 'node:crypto'
import type { HandshakeRequest } from 'sallyport'
import type { ForwardAuthConfig } from '../model/config.ts'

/** A header that the endpoint is asked with. */
export type Line = readonly [name: string, value: string]

/** Begins the id of a session that stands for all sessions of its user: it cannot be revoked alone. */
export const USER_SESSION = 'forward-auth-user.'

type Named = Pick<ForwardAuthConfig, 'requestHeaders' | 'sessionHeader' | 'userHeader' | 'cookies'>

const NAME_IT = 'write userHeader or sessionHeader (a header of its answer), or cookie (the name of the session cookie)'

/** Why a configuration does not say who somebody is; null where it does. */
export function faultOfIdentity({ requestHeaders, sessionHeader, userHeader, cookies }: Named): Unnamed | null {
  const sent = requestHeaders.map(name => name.toLowerCase())
  if (cookies != null && cookies.length > 0 && !sent.includes('cookie')) {
    return {
      message: 'the endpoint gets no Cookie, and cannot vouch for one',
      remedy: "add 'Cookie' to requestHeaders",
    }
  }
  if (sessionHeader !== null || userHeader !== null || (cookies?.length ?? 0) > 0) return null
  // One header is a name; of a Cookie header each further cookie would make another person.
  if (sent.length === 1 && sent[0] !== 'cookie') return null
  return {
    message:
      'nothing names the session or the user: by the whole Cookie header, one more cookie would make another user',
    remedy: NAME_IT,
  }
}

/** What is wrong, and what to write. */
export interface Unnamed {
  readonly message: string
  readonly remedy: string
}

/**
 * The id of the session that credentials stand for, where the endpoint names none: a hash of the named cookies, or of the one
 * other credential. What a client adds beside them changes nothing. Null where it is not one credential: nobody is asked then.
 */
export function credentialId(
  cookies: readonly string[] | null | undefined,
  request: HandshakeRequest,
  credentials: readonly Line[],
): string | null {
  const named = cookies ?? []
  const found = named.map(name => valuesOf(request, name))
  // Of two cookies of one name two readers may choose differently.
  if (found.some(values => values.length > 1)) return null
  if (found.some(values => values.length === 1)) return hashOf(named.map((name, at) => [name, found[at]![0] ?? null]))
  const others = credentials.filter(([name]) => name !== 'cookie')
  return others.length === 1 ? hashOf(others) : null
}

/** The id of the one session that a user has here, where neither the endpoint nor a cookie names one. */
export function userSessionId(user: string): string {
  return USER_SESSION + hashOf([['user', user]])
}

function hashOf(parts: readonly (readonly [string, string | null])[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

function valuesOf(request: HandshakeRequest, name: string): readonly string[] {
  return (request.header('cookie') ?? '').split(';').flatMap(pair => {
    const at = pair.indexOf('=')
    return at !== -1 && pair.slice(0, at).trim() === name ? [plainValue(pair.slice(at + 1).trim())] : []
  })
}

/** As an app reads it: `"a%62"` and `ab` are one value, and so one person. */
function plainValue(value: string): string {
  const bare = /^".*"$/s.test(value) ? value.slice(1, -1) : value
  try {
    return decodeURIComponent(bare)
  } catch {
    return bare
  }
}
