import type { GatewayConfig, RouteConfig } from '@sallyport/gateway'
import { oneRoute } from './config.ts'

/** What of the gateway a conformance suite varies. */
export interface EchoOptions {
  readonly port: number
  readonly backendPort: number
  /** Greatest message: bytes, or words. */
  readonly bytes: number | string
  readonly fragments: number
  readonly deflate: boolean
  readonly data: 'any' | 'text' | 'binary'
}

const PLENTY = 1e9

/**
 * A gateway that lets any message of anybody pass to an echo, so that what is left is RFC 6455 itself: for the conformance
 * suites of others. On loopback alone.
 */
export function echoConfig({ port, backendPort, bytes, fragments, deflate, data }: EchoOptions): GatewayConfig {
  const route: RouteConfig = {
    id: 'echo',
    hosts: [],
    path: '/*',
    upstream: 'echo',
    policy: {
      handshake: {
        origin: { dangerouslyAllowAnyOrigin: true },
        host: { allow: ['127.0.0.1', 'localhost'] },
        rate: {
          perIp: { attempts: PLENTY, per: '1 minute' },
          perUser: { attempts: PLENTY, per: '1 minute' },
          total: { attempts: PLENTY, per: '1 minute' },
        },
        connections: { total: PLENTY, perIp: PLENTY, perUser: PLENTY },
        extensions: { deflate },
      },
      message: {
        schema: { dangerouslyAcceptAnyMessage: true },
        rate: { dangerouslyOff: true },
        format: { data },
        size: { bytes, fragments, controlFrames: { frames: PLENTY, per: '1 minute' } },
      },
      // One frame that takes a suite a minute to send leaves no place for a pong.
      lifetime: { backpressure: { bytes: '256 MiB' }, heartbeat: { dangerouslyOff: true } },
    },
    session: { kind: 'anonymous' },
    relay: {
      host: 'upstream',
      origin: 'pass',
      cookies: 'pass',
      path: null,
      headers: {},
      forwarded: true,
      identity: { sessionHeader: null, userHeader: null, connectionHeader: null, jwt: null },
      messageBytes: 64 * 1024 * 1024,
      bufferBytes: 64 * 1024 * 1024,
      stallMs: 30_000,
      heartbeatMs: null,
    },
    http: null,
    ticketPath: '/.sallyport/ticket',
    clientPath: null,
  }
  const config = oneRoute('echo', route, port, backendPort)
  // A suite ends connections in every way there is: none of them may cost the backend its place.
  const upstreams = { [route.upstream]: { ...config.upstreams[route.upstream]!, ejectMs: 1000, failures: 1000 } }
  return { ...config, upstreams }
}
