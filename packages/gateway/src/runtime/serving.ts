import { isDeepStrictEqual } from 'node:util'
import type { Guard } from 'sallyport'
import { createHostCheck, createProxyCheck, type Runtime } from 'sallyport/internal'
import { POLLING } from '../config/route-shape.ts'
import type { GatewayConfig } from '../model/config.ts'
import { createPool, type Pool } from '../upstream/pool.ts'
import type { GatewayParts, ReplaceResult } from '../model/gateway.ts'
import { createHttpProxy, type HttpProxy } from '../http/http-proxy.ts'
import { createPlainRefusal } from '../http/plain-refusal.ts'
import { createRouteTable, type Matchable, namedHosts, type RouteTable } from '../route/route-table.ts'
import { createRoute, type Route } from '../route/route.ts'

/** What serves requests at one time; a reload puts another in its place. */
export interface Serving {
  readonly config: GatewayConfig
  readonly pools: ReadonlyMap<string, Pool>
  readonly routes: ReadonlyMap<string, Route>
  readonly httpProxies: readonly HttpProxy[]
  readonly guards: ReadonlyMap<string, Guard>
  /** The hosts that routes name. */
  readonly named: ReadonlySet<string>
  readonly table: RouteTable<Route>
  readonly plain: RouteTable<Plain>
  /** Whether an address is a reverse proxy whose word is believed. */
  readonly isProxy: (address: string) => boolean
}

/** `would-refuse`: the policy does not serve it, and only reports that. */
export type HostVerdict = 'serve' | 'refuse' | 'would-refuse'

/** Plain HTTP of a route's hosts: where it goes, and what of it does not. */
export interface Plain extends Matchable {
  readonly httpProxy: HttpProxy
  readonly refuses: (target: string) => boolean
  /** Whether the route's `handshake.host` serves a Host header. */
  readonly servesHost: (host: string | undefined) => HostVerdict
}

/**
 * Makes what a configuration says; of `before` goes on whatever is the same: routes with their guards and connections,
 * upstreams with what is known of their backends. Throws, and leaves nothing running, when a part cannot be made.
 */
export function createServing(
  config: GatewayConfig,
  before: Serving | null,
  { guardOf, log }: Pick<GatewayParts, 'guardOf' | 'log'>,
  runtime: Runtime,
): Serving {
  const made: { stop(): void }[] = []
  const keep = <T extends { stop(): void }>(one: T): T => {
    made.push(one)
    return one
  }
  const keepGuard = (guard: Guard): Guard => {
    made.push({ stop: () => letGo(guard) })
    return guard
  }
  const isSameApp =
    before !== null && before.config.name === config.name && isDeepStrictEqual(before.config.proxy, config.proxy)
  try {
    const pools = poolsOf(config, before, log, runtime, keep)
    const poolOf = (name: string, route: string): Pool => {
      const pool = pools.get(name)
      if (pool === undefined) throw new TypeError(`route ${route} names upstream ${name}, which is not configured`)
      return pool
    }
    const routes = new Map<string, Route>()
    const plain: Plain[] = []
    for (const one of config.routes) {
      const pool = poolOf(one.upstream, one.id)
      const old = before?.routes.get(one.id)
      const isSame = old !== undefined && isSameApp && isDeepStrictEqual(old.config, one)
      const route = isSame ? old : keep(createRoute(one, keepGuard(guardOf(one, config)), pool, log, runtime))
      routes.set(one.id, route)
      if (one.http === null) continue
      const httpProxy = keep(createHttpProxy(route, one.http, poolOf(one.http.upstream, one.id), log, runtime))
      const { hosts, path } = httpProxy
      const refuses = createPlainRefusal(one.http.refuse ?? [POLLING], one.http.path)
      plain.push({ hosts, path, httpProxy, refuses, servesHost: hostCheckOf(hosts, route.guard.policy) })
    }
    const named = namedHosts(config.routes)
    // Last, when nothing can fail any more.
    for (const route of routes.values()) route.usePool(poolOf(route.config.upstream, route.config.id))
    return {
      config,
      pools,
      routes,
      httpProxies: plain.map(({ httpProxy }) => httpProxy),
      guards: new Map([...routes].map(([id, { guard }]) => [id, guard])),
      named,
      table: createRouteTable([...routes.values()], named),
      plain: createRouteTable(plain, named),
      isProxy: proxyCheckOf([...routes.values()]),
    }
  } catch (error) {
    for (const one of made) one.stop()
    throw error
  }
}

/** The upstreams of a configuration; one that is the same as before goes on. */
function poolsOf(
  config: GatewayConfig,
  before: Serving | null,
  log: GatewayParts['log'],
  runtime: Runtime,
  keep: (pool: Pool) => Pool,
): ReadonlyMap<string, Pool> {
  return new Map(
    Object.entries(config.upstreams).map(([name, upstream]) => {
      const old = before?.pools.get(name)
      const isSame = old !== undefined && isDeepStrictEqual(before?.config.upstreams[name], upstream)
      return [name, isSame ? old : keep(createPool(name, upstream, log, { runtime }))]
    }),
  )
}

/** The proxies are the same for all routes; without a route nobody is believed. */
function proxyCheckOf([route]: readonly Route[]): Serving['isProxy'] {
  return route === undefined ? () => false : createProxyCheck(route.guard.policy.proxy)
}

/**
 * `handshake/host` for plain HTTP of a route without hosts, which gets every name that no other route has: a page on a
 * rebound name must not read the app. It is off, or lets pass in report mode, as it does for handshakes.
 */
function hostCheckOf(hosts: readonly string[], { handshake: { host }, report }: Guard['policy']): Plain['servesHost'] {
  if (hosts.length > 0 || host === null) return () => 'serve'
  const isServed = createHostCheck(host.names)
  const otherwise = report === 'all' || report.has('handshake/host') ? 'would-refuse' : 'refuse'
  return name => (isServed(name) ? 'serve' : otherwise)
}

/** Stops what a refused reload had made; nothing of it has served. */
export function discard(refused: Serving, stands: Serving): void {
  stopUnused(refused, stands)
  const used = new Set(stands.guards.values())
  for (const guard of refused.guards.values()) if (!used.has(guard)) letGo(guard)
}

/** A guard without connections drains at once, and with that lets go of the store that all share. */
function letGo(guard: Guard): void {
  void guard.drain({ withinMs: 0 })
}

/** Stops what `now` does not go on with. */
export function stopUnused(old: Serving, now: Serving): void {
  const used = new Set<object>([...now.routes.values(), ...now.pools.values(), ...now.httpProxies])
  for (const one of [...old.routes.values(), ...old.pools.values(), ...old.httpProxies]) if (!used.has(one)) one.stop()
}

/** What a reload did, by route. */
export function compareServing(old: Serving, now: Serving): ReplaceResult {
  const ids = [...now.routes.keys()]
  return {
    kept: ids.filter(id => now.routes.get(id) === old.routes.get(id)),
    changed: ids.filter(id => old.routes.has(id) && now.routes.get(id) !== old.routes.get(id)),
    added: ids.filter(id => !old.routes.has(id)),
    removed: [...old.routes.keys()].filter(id => !now.routes.has(id)),
  }
}
