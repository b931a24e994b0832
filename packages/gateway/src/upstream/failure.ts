/** What a client is told when no backend took its connection, and no more than that. */
export type FailureCode =
  /** Every target is passed over, or none is configured. */
  | 'GATEWAY_UPSTREAM_NONE'
  /** TCP or TLS could not be opened. */
  | 'GATEWAY_UPSTREAM_UNREACHABLE'
  /** No answer in time. */
  | 'GATEWAY_UPSTREAM_TIMEOUT'
  /** It answered, and not with 101. */
  | 'GATEWAY_UPSTREAM_REFUSED'
  /** What it answered is no RFC 6455 handshake. */
  | 'GATEWAY_UPSTREAM_BROKEN'

/** A connection to a backend that did not come about. */
export interface Failure {
  readonly ok: false
  readonly code: FailureCode
  /** The HTTP status for the client. */
  readonly status: number
  /** For the operator. */
  readonly detail: string
  /** Whether it speaks against the target, and not against this one request. */
  readonly blames: boolean
}

const STATUS: { readonly [code in FailureCode]: number } = {
  GATEWAY_UPSTREAM_NONE: 503,
  GATEWAY_UPSTREAM_UNREACHABLE: 502,
  GATEWAY_UPSTREAM_TIMEOUT: 504,
  GATEWAY_UPSTREAM_REFUSED: 502,
  GATEWAY_UPSTREAM_BROKEN: 502,
}

export function failure(code: FailureCode, detail: string, status: number = STATUS[code]): Failure {
  const blames = code !== 'GATEWAY_UPSTREAM_NONE' && (code !== 'GATEWAY_UPSTREAM_REFUSED' || status >= 500)
  return { ok: false, code, status, detail, blames }
}
