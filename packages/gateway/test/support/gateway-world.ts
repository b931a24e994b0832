import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createGuard, type Guard, type SallyEvent, type Store } from 'sallyport'
import { type ClientOptions, WebSocket } from 'ws'
import type { GatewayConfig, RelayConfig, RouteConfig, UpstreamConfig } from '../../src/model/config.ts'
import type { Gateway } from '../../src/model/gateway.ts'
import { createGateway } from '../../src/runtime/gateway.ts'
import { closing as leftover } from './leftovers.ts'

export const ORIGIN = 'http://app.localhost'

export const RELAY: RelayConfig = {
  host: 'upstream',
  origin: 'pass',
  cookies: 'pass',
  path: null,
  headers: {},
  forwarded: true,
  identity: {
    sessionHeader: 'X-Sallyport-Session',
    userHeader: 'X-Sallyport-User',
    connectionHeader: 'X-Sallyport-Connection',
    jwt: null,
  },
  messageBytes: 16 * 1024 * 1024,
  bufferBytes: 256 * 1024,
  stallMs: 30_000,
  heartbeatMs: 30_000,
}

export const UPSTREAM: UpstreamConfig = {
  targets: [],
  balance: 'round-robin',
  connectTimeoutMs: 5_000,
  ejectMs: 10_000,
  failures: 1,
  health: null,
  tls: null,
}

const CHAT = {
  type: 'object',
  properties: { type: { const: 'chat' }, message: { type: 'string' }, n: { type: 'number' } },
  required: ['type', 'message'],
}

/** Sections laid over those of an honest route. */
export interface RoutePart {
  readonly id?: string
  readonly hosts?: readonly string[]
  readonly path?: string
  readonly upstream?: string
  readonly handshake?: object
  readonly message?: object
  readonly lifetime?: object
  readonly report?: boolean | readonly string[]
  readonly relay?: Partial<RelayConfig>
  readonly http?: RouteConfig['http']
  readonly clientPath?: string | null
}

export function route(part: RoutePart = {}): RouteConfig {
  return {
    id: part.id ?? 'chat',
    hosts: part.hosts ?? [],
    path: part.path ?? '/ws',
    upstream: part.upstream ?? 'backend',
    policy: {
      handshake: {
        origin: { allow: [ORIGIN], dangerouslyAllowInsecure: true },
        host: { allow: ['127.0.0.1', 'app.localhost'] },
        rate: { dangerouslyOff: true },
        connections: { total: 20_000, perIp: 20_000, perUser: 20_000 },
        ticket: { dangerouslyWithoutTicket: true },
        ...part.handshake,
      } as RouteConfig['policy']['handshake'],
      message: {
        schema: { chat: CHAT },
        rate: { dangerouslyOff: true },
        ...part.message,
      } as RouteConfig['policy']['message'],
      ...(part.lifetime !== undefined && { lifetime: part.lifetime }),
      ...(part.report !== undefined && { report: part.report as true }),
    },
    session: { kind: 'anonymous' },
    relay: { ...RELAY, ...part.relay },
    http: part.http ?? null,
    ticketPath: '/.sallyport/ticket',
    clientPath: part.clientPath === undefined ? '/.sallyport/client.js' : part.clientPath,
  }
}

/** A whole configuration, with one listener on loopback. */
export function configOf(
  targets: readonly string[],
  routes: readonly RouteConfig[] = [route()],
  upstream: Partial<UpstreamConfig> = {},
  further: Partial<GatewayConfig> = {},
): GatewayConfig {
  return {
    name: 'test',
    listeners: [{ name: 'main', address: { host: '127.0.0.1', port: 0 }, tls: null, proxyProtocol: null }],
    routes,
    upstreams: { backend: { ...UPSTREAM, targets, ...upstream } },
    proxy: null,
    admin: null,
    log: { level: 'silent', format: 'json' },
    workers: 1,
    drainMs: 0,
    ...further,
  }
}

/** How a client connects; `onMessage` listens from the first byte on. */
export type ConnectOptions = ClientOptions & {
  readonly path?: string
  readonly protocols?: readonly string[]
  readonly onMessage?: (text: string) => void
}

/** A running gateway, what it told its operator, and honest clients. */
export interface GatewayWorld {
  readonly clients: ReadonlySet<WebSocket>
  readonly gateway: Gateway
  readonly port: number
  readonly logged: { readonly facts: Record<string, unknown>; readonly message: string }[]
  readonly events: SallyEvent[]
  /** Opens a connection that the door lets in; rejects with the HTTP status otherwise. */
  connect(options?: ConnectOptions): Promise<WebSocket>
  /** The status of a handshake that is refused, and its body. */
  refusal(options?: ConnectOptions): Promise<readonly [number, string]>
  /** A ticket for the session s1, as the app's own page would get it. */
  ticket(path?: string): Promise<string>
  close(): Promise<void>
}

/** The session is the cookie `sid`: the value is session and user. */
export function guardOf(config: RouteConfig, whole: GatewayConfig, events: SallyEvent[] = [], store?: Store): Guard {
  const guard = createGuard({
    ...config.policy,
    name: whole.name,
    ...(store !== undefined && { store }),
    ...(whole.proxy !== null && { proxy: whole.proxy! }),
    handshake: {
      ...config.policy.handshake,
      session: request => {
        const sid = request.cookie('sid')
        return sid === undefined ? null : { id: sid, user: `user of ${sid}` }
      },
    },
  } as Parameters<typeof createGuard>[0])
  guard.on(event => events.push(event))
  return guard
}

/** `store`: of all guards; left out, each has its own. */
export async function createWorld(config: GatewayConfig, store?: Store): Promise<GatewayWorld> {
  const logged: GatewayWorld['logged'] = []
  const events: SallyEvent[] = []
  const tell = (facts: object, message: string): void => {
    logged.push({ facts: facts as Record<string, unknown>, message })
  }
  const gateway = createGateway({
    config,
    guardOf: (one, whole) => guardOf(one, whole, events, store),
    log: { info: tell, warn: tell, error: tell },
  })
  await gateway.listen()
  const clients = new Set<WebSocket>()
  const open: GatewayWorld['connect'] = async ({
    path = '/ws',
    protocols = [],
    headers,
    onMessage,
    ...options
  } = {}) => {
    const { port } = world
    const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], {
      origin: ORIGIN,
      headers: { Cookie: 'sid=s1', ...headers },
      perMessageDeflate: false,
      ...options,
    })
    clients.add(client)
    client.on('error', () => undefined)
    if (onMessage !== undefined) client.on('message', (data: Buffer) => onMessage(data.toString()))
    await new Promise<void>((resolve, reject) => {
      client.once('open', () => resolve())
      client.once('unexpected-response', (_request, response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () =>
          reject(Object.assign(new Error(`${response.statusCode}`), { status: response.statusCode, body })),
        )
      })
      client.once('error', reject)
    })
    return client
  }
  const world: GatewayWorld = {
    gateway,
    get port() {
      return gateway.ports.get('main')!
    },
    clients,
    logged,
    events,
    connect: open,
    async refusal(options) {
      try {
        await open(options)
      } catch (error) {
        const { status, body } = error as { status?: number; body?: string }
        if (status === undefined) throw error
        return [status, body!]
      }
      throw new Error('the handshake was accepted')
    },
    async ticket(path = '/ws') {
      const headers = { Origin: ORIGIN, Cookie: 'sid=s1', Host: 'app.localhost' }
      const asked = request({
        host: '127.0.0.1',
        port: world.port,
        path: `/.sallyport/ticket?path=${path}`,
        method: 'POST',
        headers,
      })
      asked.end()
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      let body = ''
      for await (const chunk of response) body += String(chunk)
      return (JSON.parse(body) as { ticket: string }).ticket
    },
    close: leftover(async () => {
      for (const client of clients) client.terminate()
      await gateway.close(0)
    }),
  }
  return world
}

/** The next messages of a client, as text. */
export async function messages(client: WebSocket, count: number): Promise<string[]> {
  const got: string[] = []
  return new Promise((resolve, reject) => {
    const onMessage = (data: Buffer): void => {
      got.push(data.toString())
      if (got.length < count) return
      client.off('message', onMessage)
      resolve(got)
    }
    client.on('message', onMessage)
    client.once('close', code => reject(new Error(`closed ${code} after ${got.length} messages`)))
  })
}

/** The code and reason that a client is closed with. */
export async function closing(client: WebSocket): Promise<readonly [number, string]> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer]
  return [code, reason.toString()]
}
