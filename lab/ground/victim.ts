import { createServer as createPlain, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTls } from 'node:https'
import { randomBytes } from 'node:crypto'
import type { Policy, SallyEvent } from 'sallyport'
import { createAccounts } from './accounts.ts'
import { certificate } from './certificate.ts'
import type { Flaw } from './description.ts'
import type { CookieOptions, Ground, GroundGuard, SameSite } from './ground.ts'
import { type Handshake, observe } from './handshakes.ts'
import { listen } from './listen.ts'
import { VICTIM_HOST } from './names.ts'
import { COOKIE, createSessions } from './sessions.ts'
import { honestScript, type PageParts, signInPage, workPage } from './victim-page.ts'
import type { Witness } from './witness.ts'

/** The victim's running server, and what was seen at it. */
export interface Victim {
  readonly ground: Ground
  readonly port: number
  readonly handshakes: readonly Handshake[]
  readonly events: readonly SallyEvent[]
  /** Names of what the victim's own pages reported: `signed-in`, `works`, `fails: …`. */
  readonly reports: readonly string[]
  readonly guarded: () => boolean
  /** How the guard wants its tickets; null where there is no guard, or it wants none. */
  readonly tickets: () => Policy['handshake']['ticket']
  /** As the app set it; undefined where it has no sign-in. */
  readonly sameSite: () => SameSite | undefined
  close(): Promise<void>
}

export interface VictimParts {
  readonly flaw: Flaw
  readonly witness: Witness
  /** Overrules the app's SameSite: for the cookie matrix. */
  readonly sameSite?: SameSite
  /** The loopback address to listen on. */
  readonly address: string
}

const BODY_BYTES = 16 * 1024

export async function startVictim({ flaw, witness, sameSite: forced, address }: VictimParts): Promise<Victim> {
  const secret = randomBytes(9).toString('base64url')
  const accounts = createAccounts(secret)
  const sessions = createSessions(accounts)
  const handshakes: Handshake[] = []
  const events: SallyEvent[] = []
  const reports: string[] = []
  const routes = new Map<string, RequestListener>()
  const signedOut: ((sessionId: string) => void)[] = []
  let cookie: CookieOptions | undefined
  let guard: GroundGuard | undefined

  const { plain } = flaw
  const script = flaw.kind === 'browser' ? await honestScript() : ''
  const server = plain ? createPlain() : createTls(await certificate())
  const listening = await listen(server, 0, address)
  const origin = `${plain ? 'http' : 'https'}://${VICTIM_HOST}:${listening.port}`

  const setCookie = (id: string): string => {
    const site = forced ?? cookie?.sameSite ?? 'unset'
    const attributes = ['Path=/', 'HttpOnly', ...(plain ? [] : ['Secure'])]
    if (site !== 'unset') attributes.push(`SameSite=${site[0]!.toUpperCase()}${site.slice(1)}`)
    return [`${COOKIE}=${id}`, ...attributes].join('; ')
  }
  const parts = (): PageParts => ({
    signsIn: cookie !== undefined,
    tickets: guard !== undefined && guard.policy.handshake.ticket !== null,
    password: name => accounts.get(name)?.password ?? '',
    honest: flaw.honest,
  })
  const html = (response: ServerResponse, body: string): void => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }).end(body)
  }
  const done = (response: ServerResponse, status = 204): void => void response.writeHead(status).end()

  routes.set('GET /', (request, response) => {
    html(response, signInPage(parts(), new URL(request.url!, origin).searchParams.get('as')))
  })
  routes.set('GET /work', (_request, response) => html(response, workPage(parts())))
  routes.set('GET /honest.js', (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/javascript', 'Cache-Control': 'no-store' }).end(script)
  })
  for (const name of ['signed-in', 'works', 'fails']) {
    routes.set(`POST /report/${name}`, (request, response) => {
      void read(request).then(detail => {
        reports.push(detail === '' ? name : `${name}: ${detail}`)
        done(response)
        witness.note()
      })
    })
  }
  routes.set('POST /login', (request, response) => {
    void read(request).then(body => {
      const login = parse(body)
      const account = accounts.get(String(login?.['name']))
      if (cookie === undefined || account === undefined || account.password !== login?.['password']) {
        return done(response, 401)
      }
      response.setHeader('Set-Cookie', setCookie(sessions.begin(account)))
      done(response)
    })
  })
  routes.set('POST /logout', (request, response) => {
    const id = sessions.id(request)
    if (id !== undefined) {
      sessions.end(id)
      for (const listener of signedOut) listener(id)
    }
    done(response)
  })

  server.on('request', (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]
    const listener = routes.get(`${request.method} ${path}`)
    if (listener === undefined) done(response, 404)
    else listener(request, response)
  })
  server.on('upgrade', (request, socket) => {
    handshakes.push(observe(request, socket))
    witness.note()
  })

  const ground: Ground = {
    server,
    origin,
    host: VICTIM_HOST,
    accounts,
    secret,
    signIn: options => {
      cookie = options
    },
    user: sessions.user,
    sessionId: sessions.id,
    session: sessions.resolver,
    onSignOut: listener => void signedOut.push(listener),
    route: (key, listener) => void routes.set(key, listener),
    use(given) {
      guard = given
      given.on(event => {
        events.push(event)
        witness.note()
      })
      routes.set('POST /.sallyport/ticket', (request, response) => void given.ticket(request, response))
    },
  }
  return {
    ground,
    port: listening.port,
    handshakes,
    events,
    reports,
    guarded: () => guard !== undefined,
    tickets: () => guard?.policy.handshake.ticket ?? null,
    sameSite: () => forced ?? (cookie && (cookie.sameSite ?? 'unset')),
    async close() {
      await guard?.drain({ withinMs: 0 })
      await listening.close()
    },
  }
}

/** The body as text; what is longer than a page sends is cut off. */
export async function read(request: IncomingMessage): Promise<string> {
  let body = ''
  try {
    for await (const chunk of request) if (body.length < BODY_BYTES) body += String(chunk)
  } catch {
    // The page went away: what came is what counts.
  }
  return body
}

function parse(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}
