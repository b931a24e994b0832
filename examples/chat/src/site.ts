import express from 'express'
import type { Express, RequestHandler } from 'express'
import { z } from 'zod'
import type { ChatStore } from './chat-store.ts'
import { DEMO_ACCOUNTS } from './demo-content.ts'
import { createLoginThrottle } from './login-throttle.ts'
import type { Asset } from './page-assets.ts'
import { verifyPassword } from './password.ts'

/** What the HTTP side of the chat is built from. */
export interface SiteParts {
  readonly store: ChatStore
  readonly sessions: RequestHandler
  readonly page: ReadonlyMap<string, Asset>
  /** The page's own origin: the only one whose POSTs are obeyed. */
  readonly origin: string
  readonly guarded: boolean
  /** Where the attacker's pages are, for the link that opens them. */
  readonly attackers: readonly string[]
  /** Called after a sign-out with the id of the session that ended. */
  readonly signedOut: (sessionId: string) => void | Promise<void>
}

const Login = z.object({ name: z.string().max(64), password: z.string().max(256) })

/** Everything but the WebSocket: the page, sign-in and sign-out. */
export function createSite(parts: SiteParts): Express {
  const { store, sessions, page, origin } = parts
  const throttle = createLoginThrottle()
  const app = express()
  app.disable('x-powered-by')
  app.use(secureHeaders(origin))

  for (const [path, { type, body, etag }] of page) {
    app.get(path, (_request, response) => {
      response.set({ 'Content-Type': type, 'Cache-Control': 'no-cache', ETag: etag }).send(body)
    })
  }
  app.get('/demo', (_request, response) => {
    response.json({ guarded: parts.guarded, attackers: parts.attackers, accounts: DEMO_ACCOUNTS })
  })

  // SameSite does not tell a sibling subdomain from this site, so a POST must name this very origin.
  app.use((request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD' || request.headers.origin === origin) next()
    else response.status(403).json({ error: 'This request did not come from the chat’s own page.' })
  })
  app.use(sessions)

  app.get('/me', (request, response) => {
    const { userId } = request.session
    const user = userId === undefined ? undefined : store.user(userId)
    response.json({ user: user === undefined ? null : { name: user.name, displayName: user.displayName } })
  })

  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 passes a rejection on to the error handler
  app.post('/login', express.json({ limit: '4kb' }), async (request, response) => {
    const login = Login.safeParse(request.body)
    if (!login.success) {
      response.status(400).json({ error: 'Send a name and a password.' })
      return
    }
    const name = login.data.name.trim().toLowerCase()
    if (!throttle.allows(name)) {
      response.status(429).set('Retry-After', '60').json({ error: 'Too many attempts. Try again in a minute.' })
      return
    }
    // Counted before the answer is known: a burst of guesses sent at once must not slip past the bound together.
    throttle.failed(name)
    const matches = await verifyPassword(login.data.password, store.passwordHash(name))
    const user = store.userByName(name)
    if (!matches || user === undefined) {
      response.status(401).json({ error: 'Name and password do not match.' })
      return
    }
    throttle.succeeded(name)
    // A new session id at sign-in: one that was planted before it is worth nothing (session fixation).
    request.session.regenerate(error => {
      if (error) {
        response.status(503).json({ error: 'The session could not be started. Try again.' })
        return
      }
      request.session.userId = user.id
      response.json({ name: user.name, displayName: user.displayName })
    })
  })

  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 passes a rejection on to the error handler
  app.post('/logout', async (request, response) => {
    const { sessionID, session } = request
    await new Promise<void>((resolve, reject) => {
      session.destroy((error: unknown) => (error ? reject(error) : resolve()))
    })
    await parts.signedOut(sessionID)
    response.status(204).end()
  })

  app.use((_request, response) => void response.status(404).json({ error: 'There is no such page.' }))
  app.use(refuse)
  return app
}

/** A strict policy for the page: own files alone, no inline script or style, no frames, no strings as markup. */
function secureHeaders(origin: string): RequestHandler {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${origin.replace('https:', 'wss:')}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  return (_request, response, next) => {
    response.set({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
      'Cache-Control': 'no-store',
    })
    next()
  }
}

/** The last word on an error: its status, and nothing of what went wrong. */
const refuse: express.ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) {
    next(error)
    return
  }
  const status = (error as { status?: unknown }).status
  const known = typeof status === 'number' && status >= 400 && status < 500
  response
    .status(known ? status : 500)
    .json({ error: known ? 'The request could not be read.' : 'Something failed here.' })
}
