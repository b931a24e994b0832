import type { HandshakeRequest } from '../model/handshake-request.ts'
import { clientCertificateOf, serverOf } from '../request/peer-request.ts'
import type { Credential, SessionResolver } from '../model/session.ts'
import type { Carrier } from '../model/tickets.ts'
import { isTicketProtocol } from '../request/carriers.ts'

/** Reads what a request shows to say who it is; null where it shows nothing. */
export type CredentialReader = (request: HandshakeRequest) => string | null

/**
 * Names of headers and query parameters that may hold a credential. Where a resolver does not say what it reads, a value
 * too many costs its owner at most a wait; one too few makes honest clients share the budget of those who show nothing.
 */
const SUSPECT =
  /auth|token|session|secret|jwt|credential|key|user|cert|identity|assertion|oidc|principal|email|consumer|account|login|subject/
const NOT_SUSPECT = /^(?::|sec-|user-agent$)/

/** What of a policy says which parts of a request tell two of them apart. */
export interface QuestionPolicy {
  readonly handshake: {
    readonly session: SessionResolver | null
    readonly ticket: { readonly carrier: Carrier; readonly parameter: string } | null
  }
}

/** What of a policy says where credentials are. */
export interface CredentialPolicy extends QuestionPolicy {
  readonly handshake: QuestionPolicy['handshake'] & {
    readonly subprotocol: { readonly serve: readonly string[] } | null
  }
}

/** How the credential of a request is read under a policy. */
export function createCredentialReader(policy: CredentialPolicy): CredentialReader {
  const { session, ticket, subprotocol } = policy.handshake
  const reads = session?.reads
  if (reads !== undefined) return request => readNamed(request, reads)
  const parameter = ticket?.carrier === 'query' ? ticket.parameter : null
  const served = new Set(subprotocol?.serve)
  return request => readAll(request, parameter, served)
}

function readNamed(request: HandshakeRequest, reads: readonly Credential[]): string | null {
  const found: string[] = []
  for (const [index, one] of reads.entries()) {
    const values =
      'cookie' in one
        ? [request.cookie(one.cookie)]
        : 'header' in one
          ? request.lines(one.header.toLowerCase())
          : request.query.getAll(one.query)
    for (const value of values) if (value !== undefined && value !== '') found.push(`${index}:${value}`)
  }
  return found.length === 0 ? null : found.join('\n')
}

function readAll(request: HandshakeRequest, parameter: string | null, served: ReadonlySet<string>): string | null {
  const found: string[] = []
  const { rawHeaders } = request
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!
    if (name === 'sec-websocket-protocol') {
      for (const part of value.split(',')) {
        const offered = part.trim()
        if (offered !== '' && !served.has(offered) && !isTicketProtocol(offered)) found.push(`protocol:${offered}`)
      }
    } else if (value !== '' && (name === 'cookie' || (SUSPECT.test(name) && !NOT_SUSPECT.test(name)))) {
      found.push(`${name}:${value}`)
    }
  }
  if (request.target.length > request.path.length) {
    for (const [name, value] of request.query) {
      if (name !== parameter && value !== '' && SUSPECT.test(name.toLowerCase())) found.push(`?${name}:${value}`)
    }
  }
  const certificate = clientCertificateOf(request)
  if (certificate !== null) found.push(`certificate:${certificate}`)
  return found.length === 0 ? null : found.join('\n')
}

/**
 * Headers that are new in each request, whoever sends it: the handshake's key, and what traces a request. `baggage` is not
 * one of them: it may say who the user is.
 */
const PER_REQUEST =
  /^(?:sec-websocket-key|traceparent|tracestate|cf-ray|x-(?:request|correlation|trace|amzn-trace|b3-.*)-?id|x-cloud-trace-context|x-b3-.*|b3)$/

/** Numbers of the servers that requests came to: an app may trust one of its listeners more than another. */
const servers = new WeakMap<object, number>()
let serverCount = 0

function numberOf(server: object | null): string {
  if (server === null) return ''
  const known = servers.get(server) ?? ++serverCount
  servers.set(server, known)
  return String(known)
}

/**
 * The same text for requests that a resolver cannot tell apart but by what is new in each of them. Such requests at the same
 * time are one look-up. Where the resolver says what it reads, `credential` stands for all headers but Host. The client's
 * certificate and the server are not in the headers, and are always compared.
 */
export function questionKey(request: HandshakeRequest, policy: QuestionPolicy, credential: string): string {
  const { ticket, session } = policy.handshake
  const parts = [
    request.ip,
    String(request.secure),
    clientCertificateOf(request) ?? '',
    numberOf(serverOf(request)),
    request.method,
    targetOf(request, ticket),
  ]
  if (session?.reads !== undefined) return [...parts, request.header('host') ?? '', credential].join('\n')
  const { rawHeaders } = request
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!
    if (PER_REQUEST.test(name)) continue
    parts.push(name, name === 'sec-websocket-protocol' ? withoutTickets(value) : value)
  }
  return parts.join('\n')
}

function targetOf(request: HandshakeRequest, ticket: QuestionPolicy['handshake']['ticket']): string {
  if (ticket?.carrier !== 'query' || request.target === request.path) return request.target
  const { query } = request
  query.delete(ticket.parameter)
  return `${request.path}?${query.toString()}`
}

function withoutTickets(value: string): string {
  return value
    .split(',')
    .filter(name => !isTicketProtocol(name))
    .join(',')
}
