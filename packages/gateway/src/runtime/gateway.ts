import type { Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { refuseSocket } from 'sallyport/embed'
import { type Runtime, systemRuntime } from 'sallyport/internal'
import type { GatewayConfig } from '../model/config.ts'
import { createListener, type Listener, type ListenerHandlers, type Refused } from '../listener/listener.ts'
import type { Gateway, GatewayParts, PairView, ReplaceResult, TargetView } from '../model/gateway.ts'
import { gatewayAnswer } from '../http/gateway-answer.ts'
import { hostOf, pathOf, servePlain } from './plain-http.ts'
import { requireConfig, requireParts, requireWithin } from './gateway-parts.ts'
import { createRefusals } from '../listener/refusals.ts'
import { hostName } from '../route/route-table.ts'
import type { Route } from '../route/route.ts'
import { compareServing, createServing, discard, type Serving, stopUnused } from './serving.ts'

/**
 * Makes a gateway of a configuration; it serves from `listen` on. Throws when a guard or an upstream cannot be made, and a
 * `TypeError` for invalid parts.
 *
 * @param runtime not public: a simulation gives its virtual clock
 */
export function createGateway(given: GatewayParts, runtime: Runtime = systemRuntime): Gateway {
  const parts = requireParts(given)
  let serving = createServing(parts.config, null, parts, runtime)
  const refusals = createRefusals(parts.log, runtime)
  const handlersOf = (listener: string): ListenerHandlers => {
    const refused: Refused = (reason, sample) => refusals.note(listener, reason, sample)
    /** Answers a handshake that no route has. */
    const routeOf = (target: string, rawHeaders: readonly string[], socket: Socket): Route | null => {
      const [host, path] = [hostOf(rawHeaders), pathOf(target)]
      const route = serving.table.find(hostName(host), path)
      if (route === null) {
        refused('no-route', { ip: socket.remoteAddress, host, path })
        refuseSocket(socket, gatewayAnswer(404, 'GATEWAY_NO_ROUTE'))
      }
      return route
    }
    return {
      read: (read, socket) => routeOf(read.target, read.rawHeaders, socket)?.read(read, socket),
      upgrade: (request, socket, head) =>
        routeOf(request.url ?? '', request.rawHeaders, socket)?.upgrade(request, socket, head),
      request: (request, response) => servePlain(serving, request, response, refused),
      refused,
      isProxy: address => serving.isProxy(address),
    }
  }
  let listeners = parts.config.listeners.map(config => createListener(config, handlersOf(config.name)))
  let isListening = false
  let replaced: Promise<unknown> = Promise.resolve()
  for (const listener of listeners) listener.limit(mostConnections(serving))

  async function replace(config: GatewayConfig): Promise<ReplaceResult> {
    requireConfig('gateway.replace', config)
    const next = createServing(config, serving, parts, runtime)
    const isKept = ({ config: old }: Listener): boolean => config.listeners.some(one => isDeepStrictEqual(one, old))
    const kept = listeners.filter(isKept)
    const gone = listeners.filter(listener => !isKept(listener))
    let fresh: Listener[]
    try {
      fresh = config.listeners
        .filter(one => !kept.some(({ config: old }) => isDeepStrictEqual(one, old)))
        .map(one => createListener(one, handlersOf(one.name)))
      for (const listener of kept) listener.renewCertificate()
      if (isListening) await listenAll(fresh)
    } catch (error) {
      discard(next, serving)
      for (const route of serving.routes.values()) route.usePool(serving.pools.get(route.config.upstream)!)
      throw error
    }
    const old = serving
    serving = next
    listeners = [...kept, ...fresh]
    for (const listener of listeners) listener.limit(mostConnections(next))
    stopUnused(old, next)
    const result = compareServing(old, next)
    applyToOpen(old, next, result)
    await Promise.all(gone.map(listener => listener.close()))
    refusals.keep(config.listeners.map(({ name }) => name))
    return result
  }

  return {
    async listen() {
      await listenAll(listeners)
      isListening = true
    },
    get ports() {
      return new Map(listeners.flatMap(({ config, port }) => (port === null ? [] : [[config.name, port] as const])))
    },
    get guards() {
      return serving.guards
    },
    replace(config) {
      // One after the other: each begins where the one before ended.
      const result = replaced.then(() => replace(config))
      replaced = result.catch(() => undefined)
      return result
    },
    connections: () => openPairs(serving),
    targets: () => targetsOf(serving, runtime.now()),
    refusals: () => refusals.list(),
    closeConnection: id => closePair(serving, id),
    async drain(within) {
      requireWithin('gateway.drain', within)
      await drainAll(serving, within)
    },
    async close(within) {
      requireWithin('gateway.close', within)
      const stopped = Promise.all(listeners.map(listener => listener.close()))
      await drainAll(serving, within)
      await stopped
      for (const one of [...serving.routes.values(), ...serving.pools.values(), ...serving.httpProxies]) one.stop()
      refusals.stop()
    },
  }
}

function* openPairs({ routes }: Serving): Iterable<PairView> {
  for (const [route, { pairs }] of routes) {
    for (const { client, target } of pairs) {
      if (client === null) continue
      const { id, openedAt, ip, bufferedAmount } = client.connection
      yield { id, route, target, openedAt, ip, bufferedAmount }
    }
  }
}

function targetsOf({ pools }: Serving, now: number): readonly TargetView[] {
  return [...pools.values()].flatMap(({ name, targets }) =>
    targets.map(target => ({
      upstream: name,
      target: target.address.label,
      open: target.open,
      healthy: target.isHealthy(now),
      reason: target.reason,
    })),
  )
}

function closePair({ routes }: Serving, id: string): boolean {
  for (const { pairs } of routes.values()) {
    for (const { client } of pairs) {
      if (client?.connection.id !== id) continue
      client.connection.close(1008, 'SALLY_LIFETIME_REVOKED')
      return true
    }
  }
  return false
}

/** Binds all, or none: the first listen error is thrown. */
async function listenAll(listeners: readonly Listener[]): Promise<void> {
  const results = await Promise.allSettled(listeners.map(listener => listener.listen()))
  const failed = results.find(result => result.status === 'rejected')
  if (failed === undefined) return
  await Promise.all(listeners.map(listener => listener.close()))
  throw failed.reason
}

async function drainAll({ routes, config }: Serving, withinMs = config.drainMs): Promise<void> {
  await Promise.all([...routes.values()].map(({ guard }) => guard.drain({ withinMs })))
}

/** Room beside what the policies allow, for plain HTTP and for handshakes under way. */
const SPARE_CONNECTIONS = 1_000
/** Where a policy sets no cap, in connections. */
const UNCAPPED = 100_000

function mostConnections({ guards }: Serving): number {
  let most = SPARE_CONNECTIONS
  for (const { policy } of guards.values()) most += policy.handshake.connections?.total ?? UNCAPPED
  return most
}

/** A changed route takes its open connections over; those of a removed one leave. */
function applyToOpen(old: Serving, now: Serving, { changed, removed }: ReplaceResult): void {
  const withinMs = now.config.drainMs
  for (const id of changed) now.routes.get(id)?.takeOver(old.routes.get(id)!)
  for (const id of removed) void old.routes.get(id)?.guard.drain({ withinMs })
}
