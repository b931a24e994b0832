import { after } from '../../model/after.ts'
import type { SessionResolver } from '../../model/session.ts'
import { PASS, type Verdict } from '../../model/verdict.ts'
import { danger, rule } from '../../shape/kinds.ts'
import { key } from '../../shape/shape.ts'
import type { ControlContext } from '../context.ts'
import { defineControl, off, on } from '../definition.ts'
import type { HandshakeCheck } from './handshake-control.ts'
import { anonymousSession, type Asking, isPaced, resolveSession, type SessionPolicy } from './resolve-session.ts'
import { readResolver } from './resolver-value.ts'

const KEYS = {
  '': key(
    rule<SessionResolver>('(request) => Session or null'),
    null,
    'How the session is found. `null` is nobody (401); throwing is "cannot tell" (503).',
    { shown: '*must be decided*' },
  ),
  dangerouslyAnonymous: danger('Instead of a function: a public endpoint, nobody has a session.'),
}

const DENIALS = {
  SALLY_SESSION_MISSING: {
    action: 'refuse',
    http: 401,
    level: 'info',
    event: 'authn_login_fail',
    requirements: ['S4', 'WS-27'],
    means: 'no valid session',
    remedy: 'The user must sign in over HTTP first.',
    tells: {
      nobody: 'handshake.session found nobody',
      'nobody-because': 'handshake.session found nobody: {why}',
      another: 'the request now resolves to another session or user',
      'unknown-sid': 'no Socket.IO session of this sid is open',
      'ended-sid': 'the Socket.IO session of this sid has ended',
      'other-sid': 'the request carries another session than its Socket.IO session was opened for',
    },
  },
  SALLY_SESSION_EXPIRED: {
    action: 'refuse',
    http: 401,
    level: 'info',
    event: 'session_use_after_expire',
    requirements: ['S4', 'WS-10', 'ASVS-7.4.1'],
    means: 'the session is past its expiry',
    remedy: 'The user must sign in again.',
    tells: 'the session is past its expiresAt',
  },
  SALLY_SESSION_REVOKED: {
    action: 'refuse',
    http: 401,
    level: 'warn',
    event: 'session_use_after_expire',
    requirements: ['S4', 'WS-12', 'ASVS-7.4.1'],
    means: 'the session was revoked',
    remedy: 'The user must sign in again; revocation is final for a session id.',
    tells: { revoked: 'the session or its user was revoked', meanwhile: 'revoked during the handshake' },
  },
  SALLY_SESSION_UNAVAILABLE: {
    action: 'refuse',
    http: 503,
    level: 'error',
    event: 'sys_crash',
    requirements: ['S4', 'ASVS-16.5.3'],
    means: 'the session store did not answer, so nobody can be told from anybody',
    remedy: 'Repair the session store; no handshake is let through without it.',
    tells: {
      threw: 'handshake.session threw {error}',
      answer: 'handshake.session answered a session whose {fault}',
      'look-up': '{fault}',
      late: 'no answer within {timeoutMs} ms',
    },
  },
} as const

/**
 * Requires the session that the HTTP side would find (seed: authenticate the handshake; ASVS 4.4.3). A failure of the
 * resolver or the store gives 503, never an anonymous connection.
 */
export const session = defineControl({
  id: 'handshake/session',
  denies: 'there is no valid session, found the way HTTP finds it; a store that fails is 503, never anonymous',
  default: '*must be decided*',
  mustDecide: true,
  meets: [
    'ASVS-7.2.1',
    'ASVS-7.2.2',
    'ASVS-9.1.1',
    'ASVS-9.1.2',
    'ASVS-9.1.3',
    'ASVS-9.2.1',
    'ASVS-9.2.2',
    'ASVS-9.2.3',
    'ASVS-9.2.4',
    'WS-9',
    'WS-13',
    'WS-21',
    'WS-31',
  ],
  keys: KEYS,
  example: 'session: expressSession(sessionMiddleware, request => request.session?.userId)',
  denials: DENIALS,
  read: readResolver,
  effective: resolver =>
    resolver === null
      ? off('everybody is anonymous')
      : on(resolver.ambient === false ? 'a credential that the page adds' : 'a credential that browsers attach'),
  compile(policy: SessionPolicy, parts: ControlContext): HandshakeCheck {
    if (policy.handshake.session === null) {
      return attempt => {
        attempt.session = anonymousSession(attempt)
        return PASS
      }
    }
    const unlimited = !isPaced(policy)
    return attempt => {
      const { standing, request } = attempt
      const credential = attempt.credential === undefined ? parts.proofs.credentialOf(request) : attempt.credential
      // The connection keeps the attempt as long as it lives, so the hash of the credential is removed.
      attempt.credential = null
      const isKnown = unlimited || standing === 'ticket' || standing === 'proven'
      const asking: Asking = { standing: isKnown ? 'known' : 'stranger', credential }
      return after(resolveSession(policy, parts, request, null, asking), (resolution): Verdict => {
        if (!('session' in resolution)) return resolution
        attempt.session = resolution.session
        return PASS
      })
    }
  },
})
