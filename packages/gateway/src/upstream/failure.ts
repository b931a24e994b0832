/** All that a client learns if no backend took its connection. */
export type FailureCode =
  /** Every target is skipped, or none is configured. */
  | 'GATEWAY_UPSTREAM_NONE'
  /** TCP or TLS could not be opened. */
  | 'GATEWAY_UPSTREAM_UNREACHABLE'
  /** No answer in time. */
  | 'GATEWAY_UPSTREAM_TIMEOUT'
  /** The backend answered with another status than 101. */
  | 'GATEWAY_UPSTREAM_REFUSED'
  /** The answer is not an RFC 6455 handshake. */
  | 'GATEWAY_UPSTREAM_BROKEN'

/**
 * What a failure says about its target:
 *
 * - `nothing`: the cause is the gateway itself, or the client left.
 * - `alive`: the backend answered in HTTP.
 * - `doubt`: a client can bring this about with a request of its choice. A probe decides.
 * - `unreachable`: nobody took the connection, which no client can bring about.
 */
export type Evidence = 'nothing' | 'alive' | 'doubt' | 'unreachable'

/** A connection to a backend that could not be opened. */
export interface Failure {
  readonly ok: false
  readonly code: FailureCode
  /** The HTTP status for the client. */
  readonly status: number
  /** For the operator. */
  readonly detail: string
  readonly evidence: Evidence
  /** The status of the backend's own answer. Null if there was none. */
  readonly answered: number | null
  /** Headers of the backend's answer that the client gets. */
  readonly headers: { readonly [name: string]: string }
}

const STATUS: { readonly [code in FailureCode]: number } = {
  GATEWAY_UPSTREAM_NONE: 503,
  GATEWAY_UPSTREAM_UNREACHABLE: 502,
  GATEWAY_UPSTREAM_TIMEOUT: 504,
  GATEWAY_UPSTREAM_REFUSED: 502,
  GATEWAY_UPSTREAM_BROKEN: 502,
}

const EVIDENCE: { readonly [code in FailureCode]: Evidence } = {
  GATEWAY_UPSTREAM_NONE: 'nothing',
  GATEWAY_UPSTREAM_UNREACHABLE: 'unreachable',
  GATEWAY_UPSTREAM_TIMEOUT: 'doubt',
  GATEWAY_UPSTREAM_REFUSED: 'alive',
  GATEWAY_UPSTREAM_BROKEN: 'doubt',
}

const NO_HEADERS = Object.freeze({})

/** Builds a failure with the fields that follow from its code. */
export function failure(
  code: FailureCode,
  detail: string,
  rest: Partial<Pick<Failure, 'status' | 'evidence' | 'answered' | 'headers'>> = {},
): Failure {
  return {
    ok: false,
    code,
    detail,
    status: STATUS[code],
    evidence: EVIDENCE[code],
    answered: null,
    headers: NO_HEADERS,
    ...rest,
  }
}

/** Errors whose cause is the gateway or its machine: no descriptors, ports, memory, route, permission or resolver. */
const OWN: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ENOBUFS',
  'ENOMEM',
  'EAGAIN',
  'EACCES',
  'EPERM',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'EAI_MEMORY',
  'EAI_SYSTEM',
])

/** Errors whose cause is the target or the way to it, before TCP was open. */
const OUTSIDE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENOENT',
  'ENOTFOUND',
])

/**
 * The codes of an error. A name with several addresses fails with one error for each
 * (https://nodejs.org/api/net.html#socketconnectoptions-connectlistener, `autoSelectFamily`).
 */
function codesOf(error: NodeJS.ErrnoException): readonly string[] {
  const { errors } = error as { errors?: readonly NodeJS.ErrnoException[] }
  return (errors ?? [error]).map(one => one.code ?? one.name)
}

/** Whether the gateway itself is the cause. */
export function isOwnFault(error: NodeJS.ErrnoException): boolean {
  return codesOf(error).every(code => OWN.has(code))
}

/**
 * What an error says about the target that was dialled.
 *
 * @param connected whether TCP was open before
 */
export function evidenceOf(error: NodeJS.ErrnoException, connected: boolean): Evidence {
  if (isOwnFault(error)) return 'nothing'
  if (connected) return 'doubt'
  // One address may have failed because of the gateway. Then the other errors do not prove that the target is down.
  return codesOf(error).every(code => OUTSIDE.has(code) || code === 'ENETUNREACH') ? 'unreachable' : 'doubt'
}
