import { createHmac, randomBytes } from 'node:crypto'
import type { HandshakeRequest, Session, SessionResolver } from 'sallyport'
import { SessionUnavailable } from 'sallyport/session'
import { Agent, request as send } from 'undici'
import type { ForwardAuthConfig } from '../model/config.ts'
import { createAnswerCache } from './answer-cache.ts'
import { credentialId, faultOfIdentity, type Line, userSessionId } from './forward-identity.ts'
import { expiryOf, freshness } from './freshness.ts'

/** Of the answer's body nothing is wanted: so much is read, that its connection can be used again. */
const BODY_BYTES = 64 * 1024
const HEADER_BYTES = 16 * 1024
/** Subrequests under way at once; more than this many clients wait for nobody's good. */
const MOST_UNDERWAY = 256
const MOST_CONNECTIONS = 64
const MOST_CREDENTIAL_CHARS = 16 * 1024
/** What the library takes for an id or a user. */
const MOST_NAME_CHARS = 512

interface Answer {
  readonly session: Session | null
  readonly cacheMs: number
}

/**
 * Asks the app's own HTTP endpoint who the client is, with the client's own cookies, as nginx `auth_request` and Traefik
 * `forwardAuth` do: 2xx is yes, 401 and 403 no; all else (redirects and time-outs among it) is "cannot tell": 503. A positive
 * answer is used again for seconds, by a keyed hash of the whole question: the app may decide by the path or the address.
 * Equal questions at the same time share one subrequest. Refusals are not cached, so that a user who signs in gets in. While a connection lives the app is asked again (`recheck`). Throws a `TypeError` for a configuration that names
 * nobody.
 */
export function forwardAuth(config: ForwardAuthConfig): SessionResolver {
  const fault = faultOfIdentity(config)
  if (fault !== null) throw new TypeError(`forwardAuth: ${fault.message}; ${fault.remedy}`)
  const url = new URL(config.url)
  /** Whether the answer says who it is: no credential then needs to. */
  const hasNames = config.sessionHeader !== null || (config.userHeader !== null && (config.cookies?.length ?? 0) === 0)
  const names = config.requestHeaders.map(name => name.toLowerCase())
  const agent = new Agent({
    connections: MOST_CONNECTIONS,
    pipelining: 1,
    maxHeaderSize: HEADER_BYTES,
    connect: { timeout: config.timeoutMs },
    headersTimeout: config.timeoutMs,
    bodyTimeout: config.timeoutMs,
    keepAliveTimeout: 4000,
  })
  const hashKey = randomBytes(32)
  const cache = createAnswerCache<Answer>(Date.now)
  let underway = 0

  const ask = async (
    credentials: readonly Line[],
    about: readonly Line[],
    credential: string | null,
  ): Promise<Answer> => {
    if (underway >= MOST_UNDERWAY)
      throw new SessionUnavailable(`more than ${MOST_UNDERWAY} questions to the forward-auth endpoint are open`)
    underway++
    try {
      const { statusCode, headers, body } = await send(url, {
        method: 'GET',
        dispatcher: agent,
        headers: Object.fromEntries([...credentials, ...about]),
        signal: AbortSignal.timeout(config.timeoutMs),
      })
      // Read and thrown away; a body that is longer, or never ends, costs its connection alone.
      body.dump({ limit: BODY_BYTES, signal: AbortSignal.timeout(config.timeoutMs) }).catch(() => undefined)
      if (statusCode === 401 || statusCode === 403) return { session: null, cacheMs: 0 }
      if (statusCode < 200 || statusCode > 299) {
        const redirected =
          statusCode >= 300 && statusCode < 400 ? ': it redirects; it must answer 401 to who is not signed in' : ''
        throw new SessionUnavailable(`the forward-auth endpoint answered ${statusCode}${redirected}`)
      }
      return answerOf(headers, credential)
    } catch (error) {
      throw error instanceof SessionUnavailable
        ? error
        : new SessionUnavailable(`the forward-auth endpoint cannot be asked: ${reasonOf(error)}`, { cause: error })
    } finally {
      underway--
    }
  }

  const answerOf = (
    headers: { readonly [name: string]: string | string[] | undefined },
    credential: string | null,
  ): Answer => {
    const one = (name: string): string => {
      const values = valuesOf(headers, name)
      const [value] = values
      if (values.length === 1 && value !== undefined && value !== '' && value.length <= MOST_NAME_CHARS) return value
      throw new SessionUnavailable(
        `the forward-auth endpoint said yes ${values.length > 1 ? 'with two' : 'without a usable'} ${name}`,
      )
    }
    const named = config.userHeader === null ? null : one(config.userHeader)
    const id = config.sessionHeader === null ? (credential ?? userSessionId(named!)) : one(config.sessionHeader)
    const user = named ?? id
    const expiresAt = config.expiresHeader === null ? undefined : expiryOf(one(config.expiresHeader))
    if (expiresAt === null)
      throw new SessionUnavailable(`the forward-auth endpoint said yes with an unreadable ${config.expiresHeader}`)
    const now = Date.now()
    const fresh = freshness(name => valuesOf(headers, name).join(', ') || undefined, now)
    return {
      session: { id, user, ...(expiresAt === undefined ? {} : { expiresAt }) },
      cacheMs: Math.min(config.cacheMs, fresh ?? Infinity, expiresAt === undefined ? Infinity : expiresAt - now),
    }
  }

  const find = async (request: HandshakeRequest, again: boolean): Promise<Session | null> => {
    const credentials: [string, string][] = []
    let size = 0
    for (const name of names) {
      const lines = request.lines(name)
      // Of two cookie headers two readers may choose differently; the door refuses them on a handshake, here nobody is asked.
      if (lines.length > 1) return null
      if (lines[0] !== undefined) credentials.push([name, lines[0]])
      size += lines[0]?.length ?? 0
    }
    if (credentials.length === 0 || size > MOST_CREDENTIAL_CHARS) return null
    const credential = hasNames ? null : credentialId(config.cookies, request, credentials)
    if (!hasNames && credential === null) return null
    const about = aboutRequest(request)
    const key = createHmac('sha256', hashKey)
      .update(JSON.stringify([credentials, about]))
      .digest('base64')
    const { session } = await cache.get(key, again, () => ask(credentials, about, credential))
    return session
  }

  return Object.assign((request: HandshakeRequest) => find(request, false), {
    ambient: names.some(name => name !== 'authorization'),
    reads: names.map(header => ({ header })),
    recheck: (_: Session, request: HandshakeRequest) => find(request, true),
    forget: () => cache.forget(),
  })
}

/** What the endpoint may want to know of the request; of the target the path alone, because a query may hold a ticket. */
function aboutRequest(request: HandshakeRequest): readonly Line[] {
  const host = request.header('host')
  return [
    ['x-forwarded-for', request.ip],
    ['x-forwarded-proto', request.secure ? 'https' : 'http'],
    ['x-forwarded-method', request.method],
    ['x-forwarded-uri', request.path],
    ...(host === undefined ? [] : [['x-forwarded-host', host] as const]),
  ]
}

function valuesOf(
  headers: { readonly [name: string]: string | string[] | undefined },
  name: string,
): readonly string[] {
  const value = headers[name.toLowerCase()]
  return value === undefined ? [] : [value].flat()
}

/** The code of an error of the network: its message could quote the request. */
function reasonOf(error: unknown): string {
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: { code?: unknown } }
  const told = cause?.code ?? code ?? name
  return typeof told === 'string' && /^\w{1,40}$/.test(told) ? told : 'failed'
}
