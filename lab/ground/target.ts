import { once } from 'node:events'
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Policy } from 'sallyport'
import { WebSocket } from 'ws'
import type { Ground } from './ground.ts'

/** How a raw client connects. */
export interface ConnectOptions {
  /** Signs in as this account first and sends its cookie. Left out: nobody. */
  readonly as?: 'ann' | 'bob' | 'mallory'
  /** A cookie header of your own instead. */
  readonly cookie?: string
  /** The Origin to claim, null for none. Default: the victim's own, as its page would send it. */
  readonly origin?: string | null
  /** Path and query. Default `/ws`. */
  readonly path?: string
  /** Fetches a ticket where the app is guarded, as its own page would. Default true. */
  readonly ticket?: boolean
  readonly protocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Options of `ws`'s client: `perMessageDeflate`, `maxPayload`… */
  readonly options?: WebSocket.ClientOptions
}

/** An HTTP answer. */
export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** What a raw client attacks. Nothing in it knows more than an attacker on the network would. */
export interface Target {
  /** `https://app.shop.localhost:43210` */
  readonly origin: string
  readonly host: string
  /** The port on 127.0.0.1. */
  readonly port: number
  /** Aborts at the cell's deadline. */
  readonly signal: AbortSignal
  /** Sends it to the attacker's server. */
  steal(data: unknown): void
  /** A request to the victim's server. */
  fetch(
    path: string,
    options?: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<Answer>
  /** Signs in and answers the cookie header. */
  signIn(name: 'ann' | 'bob' | 'mallory'): Promise<string>
  /** A ticket as the app's own page would fetch it; null where there is no guard. */
  ticket(cookie: string, path?: string): Promise<string | null>
  /** Dials, and answers the socket before it is open: wait for `open`, `error` or `unexpected-response`. */
  dial(options?: ConnectOptions): Promise<WebSocket>
  /** Dials and waits: the open socket, or null where the handshake was refused. */
  connect(options?: ConnectOptions): Promise<WebSocket | null>
}

/** The running world that a target is made of. */
export interface TargetParts {
  readonly ground: Ground
  readonly victim: {
    readonly port: number
    guarded(): boolean
    tickets(): Policy['handshake']['ticket']
  }
  readonly attacker: { steal(body: string): void }
  /** Called when the run is over. */
  onClose(end: () => void): void
}

/** Names of the lab lead to loopback whatever the machine's resolver says. */
const lookup: LookupFunction = (_name, options, callback) => {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

export function targetOf(parts: TargetParts, signal: AbortSignal): Target {
  const { ground, victim, attacker } = parts
  const { origin, host } = ground
  const request = origin.startsWith('https:') ? tlsRequest : plainRequest

  const target: Target = {
    origin,
    host,
    port: victim.port,
    signal,
    steal: data => attacker.steal(typeof data === 'string' ? data : String(data)),
    async fetch(path, { method = 'GET', headers = {}, body } = {}) {
      const sent = request(origin + path, { method, headers, lookup, rejectUnauthorized: false, agent: false, signal })
      sent.end(body)
      const [response] = (await once(sent, 'response', { signal })) as [IncomingMessage]
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
      return { status: response.statusCode ?? 0, headers: response.headers, body: text }
    },
    async signIn(name) {
      const { password } = ground.accounts.get(name)!
      const answer = await target.fetch('/login', {
        method: 'POST',
        headers: { Origin: origin },
        body: JSON.stringify({ name, password }),
      })
      const [cookie] = [answer.headers['set-cookie'] ?? []].flat()
      if (answer.status !== 204 || cookie === undefined) throw new Error(`sign-in of ${name}: ${answer.status}`)
      return cookie.split(';', 1)[0]!
    },
    async ticket(cookie, path = '/ws') {
      if (!victim.guarded()) return null
      const answer = await target.fetch(`/.sallyport/ticket?path=${encodeURIComponent(path)}`, {
        method: 'POST',
        headers: { Origin: origin, Cookie: cookie },
      })
      return answer.status === 200 ? (JSON.parse(answer.body) as { ticket: string }).ticket : null
    },
    async dial({ as, cookie: given, origin: claimed = origin, path = '/ws', ticket = true, ...rest } = {}) {
      const cookie = given ?? (as === undefined ? undefined : await target.signIn(as))
      const protocols = [...(rest.protocols ?? [])]
      const address = new URL(path, origin.replace(/^http/, 'ws'))
      const wanted = victim.tickets()
      if (ticket && cookie !== undefined) {
        const issued = await target.ticket(cookie, path.split('?', 1)[0])
        if (issued !== null && wanted?.carrier === 'query') address.searchParams.set(wanted.parameter, issued)
        else if (issued !== null) protocols.push('sallyport.v1', `sallyport.ticket.${issued}`)
      }
      const socket = new WebSocket(address, protocols, {
        ...rest.options,
        lookup,
        rejectUnauthorized: false,
        headers: {
          ...(claimed !== null && { Origin: claimed }),
          ...(cookie !== undefined && { Cookie: cookie }),
          ...rest.headers,
        },
      })
      // A client that no longer reads would not even see that the server is gone.
      parts.onClose(() => socket.terminate())
      return socket
    },
    async connect(options) {
      const socket = await target.dial(options)
      return new Promise((resolve, reject) => {
        socket.on('error', () => resolve(null))
        socket.once('close', () => resolve(null))
        socket.once('open', () => resolve(socket))
        signal.addEventListener(
          'abort',
          () => {
            socket.terminate()
            reject(signal.reason)
          },
          { once: true },
        )
      })
    },
  }
  return target
}
