import type { Guard, HandshakeRequest } from 'sallyport'
import { type Admission } from 'sallyport/embed'
import { isTicketProtocol } from 'sallyport/internal'
import type { RelayConfig } from '../model/config.ts'
import type { BackendRequest } from '../upstream/connect.ts'
import { createForwarding } from '../http/forwarding.ts'
import { canonicalName, nominatedBy } from '../http/header-names.ts'
import { filterCookies, withoutParameter } from '../http/header-values.ts'
import { createIdentityLines, identityNames } from '../http/identity.ts'

/** The protocol of `sallyport/client`, which ends at the gateway: it stands beside a ticket so that a browser gets an answer. */
export const OWN_SUBPROTOCOL = 'sallyport.v1'

/** Makes the opening handshake for a backend of the one that a client sent. */
export type BackendRequestOf = (admission: Admission) => BackendRequest | Promise<BackendRequest>

/** Compiles how a route's handshakes are passed on. `prefix`: the part of the path that `config.path` takes the place of. */
export function createBackendRequest(guard: Guard, config: RelayConfig, prefix: string): BackendRequestOf {
  const { policy } = guard
  const { passes, hostOf } = createForwarding(config)
  const identityLines = createIdentityLines(config.identity)
  const identified = new Set(identityNames(config.identity).map(canonicalName))
  // Each header stands once: the gateway says who the client is, the configuration wins over everything else.
  const fixedNames = new Map(
    Object.entries(config.headers)
      .map(([name, value]) => [canonicalName(name), `${name}: ${value}\r\n`] as const)
      .filter(([name]) => !identified.has(name)),
  )
  const fixed = [...fixedNames.values()].join('')
  const { ticket, subprotocol } = policy.handshake
  const parameter = ticket?.carrier === 'query' ? ticket.parameter : null

  const headerLines = (view: HandshakeRequest): string => {
    const { rawHeaders } = view
    const nominated = nominatedBy(view.header('connection'))
    let lines = ''
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index]!
      if (isHandshakeName(name) || !passes(name, nominated)) continue
      lines += `${name}: ${rawHeaders[index + 1]}\r\n`
    }
    const cookies = filterCookies(view.header('cookie'), config.cookies)
    if (cookies !== null && !fixedNames.has('cookie')) lines += `Cookie: ${cookies}\r\n`
    const origin =
      config.origin === 'pass' ? view.header('origin') : config.origin === 'strip' ? undefined : config.origin.fixed
    if (origin !== undefined && !fixedNames.has('origin')) lines += `Origin: ${origin}\r\n`
    if (config.forwarded) lines += forwardedLines(view, fixedNames)
    return lines + fixed
  }

  const pathOf = (view: HandshakeRequest): string => {
    const target = parameter === null ? view.target : withoutParameter(view.target, parameter)
    return config.path === null ? target : config.path + target.slice(prefix.length)
  }

  return admission => {
    const { request: view, session, id } = admission.attempt
    const base = {
      path: pathOf(view),
      hostOf: hostOf(view.header('host') ?? ''),
      subprotocols: subprotocolsOf(admission, subprotocol),
    }
    const lines = headerLines(view)
    const identity = identityLines({ connection: id, session })
    return typeof identity === 'string'
      ? { ...base, lines: lines + identity }
      : identity.then(signed => ({ ...base, lines: lines + signed }))
  }
}

/** In first-message mode the client was answered already: what it got is all that may be agreed to. */
function subprotocolsOf(
  { attempt }: Admission,
  subprotocol: Guard['policy']['handshake']['subprotocol'],
): readonly string[] {
  const chosen = attempt.subprotocol
  if (attempt.ticket === 'deferred') return chosen === null || chosen === OWN_SUBPROTOCOL ? [] : [chosen]
  return offeredNames(attempt.request).filter(
    name => name !== OWN_SUBPROTOCOL && (subprotocol === null || subprotocol.serve.includes(name)),
  )
}

/** The subprotocols that a client offers, without a ticket's carrier. */
export function offeredNames(view: HandshakeRequest): readonly string[] {
  const header = view.header('sec-websocket-protocol')
  if (header === undefined) return []
  return header
    .split(',')
    .map(name => name.trim())
    .filter(name => !isTicketProtocol(name) && TOKEN.test(name))
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * What the client is answered: the backend's choice, or our own protocol where the client offered it and the backend
 * chose none: a browser takes no answer for a refusal.
 */
export function answerSubprotocol(view: HandshakeRequest, chosen: string | null): string | null {
  if (chosen !== null) return chosen
  return offeredNames(view).includes(OWN_SUBPROTOCOL) ? OWN_SUBPROTOCOL : null
}

/**
 * What the gateway knows of where a request came from.
 *
 * @param without canonical names that are left out
 */
export function forwardedLines(view: HandshakeRequest, without: Pick<ReadonlySet<string>, 'has'>): string {
  const facts = [
    ['X-Forwarded-For', view.ip],
    ['X-Forwarded-Proto', view.secure ? 'https' : 'http'],
    ['X-Forwarded-Host', view.header('host') ?? ''],
  ] as const
  let lines = ''
  for (const [name, value] of facts) if (!without.has(canonicalName(name))) lines += `${name}: ${value}\r\n`
  return lines
}

function isHandshakeName(name: string): boolean {
  return /^(?:sec-websocket-.*|expect)$/.test(canonicalName(name))
}
