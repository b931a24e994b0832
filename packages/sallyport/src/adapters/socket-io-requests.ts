import type { IncomingMessage } from 'node:http'
import { type Attempt, newAttempt } from '../handshake/attempt.ts'
import type { HandshakeControl } from '../handshake/handshake-control.ts'
import type { HandshakeRequest } from '../handshake/handshake-request.ts'
import { host } from '../handshake/host.ts'
import { origin } from '../handshake/origin.ts'
import { request as wellFormed } from '../handshake/request.ts'
import { resolveSession } from '../handshake/session.ts'
import { transport } from '../handshake/transport.ts'
import type { Inside } from '../guard/registry.ts'
import type { LiveConnection } from '../guard/live-connection.ts'
import { createDoor, type Door } from '../policy/run-door.ts'
import { deny, PASS, type Verdict } from '../policy/verdict.ts'

/** Judges a request that names a session which is open already: a poll, a post, or the upgrade to a WebSocket. */
export type Follow = (
  request: HandshakeRequest,
  live: LiveConnection,
  upgrades: boolean,
) => ReturnType<Door<Attempt, LiveConnection>>

/**
 * The door for each later request of a Socket.IO session. The id in its address is no proof of anything, so it must come from
 * the page's origin and bear the credential of the session that the connection was opened for.
 */
export function createFollow({ core, observer }: Inside): Follow {
  const { policy, parts } = core
  const sameSession = async (attempt: Attempt, live: LiveConnection): Promise<Verdict> => {
    if (attempt.origin !== live.origin)
      return deny('SALLY_ORIGIN_NOT_ALLOWED', 'not the origin that opened the session')
    const found = await resolveSession(policy, parts, attempt.request)
    if (!('session' in found)) return found
    // Without sessions a connection has an id of its own; its address must stay the same.
    const same = policy.handshake.session === null || found.session.id === live.session.id
    return same && found.session.user === live.session.user
      ? PASS
      : deny('SALLY_SESSION_MISSING', 'the request bears another session than its Socket.IO session was opened for')
  }
  const doorOf = (controls: readonly HandshakeControl[]): Door<Attempt, LiveConnection> =>
    createDoor<Attempt, LiveConnection>({
      report: policy.report,
      timeoutMs: policy.timeoutMs,
      checks: [
        ...controls.flatMap(control => {
          const check = control.compile(policy, parts)
          return check === null ? [] : [{ id: control.id, check }]
        }),
        { id: 'handshake/session', check: sameSession },
      ],
      observe: (control, denial, enforced, attempt) => observer.deniedAttempt(control, denial, enforced, attempt),
    })
  const polled = doorOf([transport, host, origin])
  const upgraded = doorOf([transport, wellFormed, host, origin])
  return (request, live, upgrades) => (upgrades ? upgraded : polled)(newAttempt(live.id, request), live)
}

/**
 * A request as the doors see it. Browsers leave the Origin out of a GET to the page's own server, and only there may it be
 * missing: where they say themselves that it is `same-origin`, it is the one that the request was sent to.
 */
export function withOwnOrigin(view: HandshakeRequest, { headers }: IncomingMessage): HandshakeRequest {
  if (view.method !== 'GET' || headers.origin !== undefined || headers['sec-fetch-site'] !== 'same-origin') return view
  const own = [`${view.secure ? 'https' : 'http'}://${headers.host ?? ''}`]
  return Object.create(view, {
    lines: { value: (name: string) => (name === 'origin' ? own : view.lines(name)) },
    header: { value: (name: string) => (name === 'origin' ? own[0] : view.header(name)) },
  }) as HandshakeRequest
}
