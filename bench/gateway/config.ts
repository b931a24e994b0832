import type { GatewayConfig, RouteConfig } from '@sallyport/gateway'

const PLENTY = 1e9
const schema = {
  type: 'object',
  properties: {
    type: { const: 'chat' },
    message: { type: 'string', maxLength: 20_000 },
    roomId: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' },
  },
  required: ['type', 'message', 'roomId'],
}
const route: RouteConfig = {
  id: 'chat',
  hosts: [],
  path: '/',
  upstream: 'backend',
  policy: {
    handshake: {
      origin: { allow: ['http://app.localhost'] },
      host: { allow: ['127.0.0.1'] },
      ticket: { ttl: '1 minute', dangerouslyWithoutTicket: !process.argv.includes('--ticket') },
      rate: {
        perIp: { attempts: PLENTY, per: '1 minute' },
        perUser: { attempts: PLENTY, per: '1 minute' },
        total: { attempts: PLENTY, per: '1 minute' },
      },
      connections: { total: PLENTY, perIp: PLENTY, perUser: PLENTY },
    },
    message: {
      rate: {
        messages: PLENTY,
        bytes: '1 GiB',
        per: '1 second',
        perUser: { messages: PLENTY, per: '1 second' },
        perIp: { messages: PLENTY, per: '1 second' },
      },
      schema: { chat: schema },
    },
    // The load answers no pings.
    lifetime: { heartbeat: { interval: '10 minutes' }, idle: { after: '1 hour' } },
  },
  session: { kind: 'anonymous' },
  relay: {
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
    messageBytes: 16_777_216,
    bufferBytes: 262_144,
    stallMs: 30_000,
    heartbeatMs: 30_000,
  },
  http: null,
  ticketPath: '/.sallyport/ticket',
  clientPath: null,
}

/** One route in front of one backend, on a listener of its own on loopback; nothing is logged. */
export function oneRoute(name: string, route: RouteConfig, port: number, backendPort: number): GatewayConfig {
  return {
    name,
    listeners: [{ name: 'main', address: { host: '127.0.0.1', port }, tls: null, proxyProtocol: null }],
    routes: [route],
    upstreams: {
      [route.upstream]: {
        targets: [`ws://127.0.0.1:${backendPort}`],
        balance: 'round-robin',
        connectTimeoutMs: 5000,
        ejectMs: 10_000,
        failures: 1,
        health: null,
        tls: null,
      },
    },
    proxy: null,
    admin: null,
    log: { level: 'silent', format: 'json' },
    workers: 1,
    drainMs: 0,
  }
}

/** Every control on and every message checked; what would stop a benchmark (rates, caps) is on and generous. */
export function gatewayConfig(backendPort: number): GatewayConfig {
  return oneRoute('bench', route, 0, backendPort)
}
