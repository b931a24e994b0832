import type { SessionResolver } from '../../model/session.ts'
import { type Fields, openChild, readDanger, refuse } from '../../shape/fields.ts'
import { isList, kindOf, pathTo } from '../../shape/shown.ts'
import { callOf } from '../../shape/uncalled.ts'

/** Path of the key that accepts anonymous clients. Other sections depend on it. */
const ANONYMOUS = 'handshake.session.dangerouslyAnonymous'

const MIDDLEWARE = 'write session: expressSession(sessionMiddleware, request => request.session?.userId)'
const FIND = 'write session: request => … (your look-up), or { dangerouslyAnonymous: true } for a public endpoint'

/** `handshake.session`. The key is required. Null means "a public endpoint", which the policy must request by name. */
export function readResolver(handshake: Fields): SessionResolver | null {
  const said = handshake.get('session')
  if (typeof said === 'function') {
    checkMarks(handshake, said)
    return said as SessionResolver
  }
  if (typeof said !== 'object' || said === null) {
    const value = said === undefined ? 'nothing' : kindOf(said)
    refuse(handshake, 'session', value, 'it must be decided how the session is found', FIND)
    return null
  }
  const told = handshake.findings.problems.length
  const section = openChild(handshake, 'session', ['dangerouslyAnonymous'])
  const anonymous = readDanger(section, 'dangerouslyAnonymous', 'handshake/session')
  if (!anonymous && told === handshake.findings.problems.length) {
    refuse(handshake, 'session', kindOf(said), 'it must be decided how the session is found', FIND)
  }
  return null
}

/**
 * Whether browsers attach the credential by themselves. Null on a public endpoint, which has no credential. A resolver
 * without this mark counts as one that reads cookies.
 */
export function ambientOf(handshake: Fields, resolver: SessionResolver | null): boolean | null {
  if (resolver === null) {
    return handshake.findings.weakened.some(({ path }) => path === ANONYMOUS) ? null : true
  }
  try {
    return Reflect.get(resolver, 'ambient') !== false
  } catch {
    return true
  }
}

/**
 * Checks the credentials that a resolver says it reads. A wrong entry would make every client a stranger, or one
 * without a session.
 */
function readReads(at: Fields, said: unknown): void {
  if (said === undefined) return
  if (isList(said) && said.length > 0 && Array.from(said, isCredential).every(Boolean)) return
  refuse(
    at,
    'reads',
    kindOf(said),
    'a list of what the resolver reads is meant here',
    "write reads: [{ cookie: 'sid' }], with { header: … } or { query: … } for others, or leave it out",
  )
}

/** `{ cookie: 'sid' }`, `{ header: … }` or `{ query: … }`. */
function isCredential(one: unknown): boolean {
  if (typeof one !== 'object' || one === null) return false
  const entries = Object.entries(one)
  const [kind, name] = entries[0] ?? []
  return (
    entries.length === 1 && ['cookie', 'header', 'query'].includes(kind!) && typeof name === 'string' && name !== ''
  )
}

/** Checks the marks of a resolver. It is the app's own function, so every access may throw. */
function checkMarks(handshake: Fields, resolver: object): void {
  const at: Fields = { ...handshake, path: pathTo(handshake.path, 'session') }
  const call = callOf(resolver)
  if (call !== undefined) {
    refuse(handshake, 'session', 'a function', 'it makes a resolver, and was not called', `write session: ${call}`)
    return
  }
  try {
    if (Number(Reflect.get(resolver, 'length')) >= 3) {
      refuse(
        handshake,
        'session',
        'a function',
        'three parameters: a middleware, which finds no session here',
        MIDDLEWARE,
      )
    }
    const ambient: unknown = Reflect.get(resolver, 'ambient')
    const recheck: unknown = Reflect.get(resolver, 'recheck')
    if (recheck !== undefined && typeof recheck !== 'function') {
      refuse(at, 'recheck', kindOf(recheck), 'a function is meant here', 'write (session, request) => …')
    }
    const forget: unknown = Reflect.get(resolver, 'forget')
    if (forget !== undefined && typeof forget !== 'function') {
      refuse(at, 'forget', kindOf(forget), 'a function is meant here', 'write () => { … }, which forgets kept answers')
    }
    readReads(at, Reflect.get(resolver, 'reads'))
    if (ambient === undefined || typeof ambient === 'boolean') return
    refuse(
      at,
      'ambient',
      kindOf(ambient),
      'true or false is meant here',
      'write false only where a page must add the credential by hand',
    )
  } catch {
    refuse(handshake, 'session', 'a function', 'reading its marks throws', 'give a plain function')
  }
}
