/** What a request is matched by. */
export interface Matchable {
  readonly hosts: readonly string[]
  /** Exact, or ending in `/*`. */
  readonly path: string
}

/** Finds what serves a host and path: an exact path before a pattern, the longest pattern before shorter ones. */
export interface RouteTable<R extends Matchable> {
  find(host: string, path: string): R | null
}

interface Host<R> {
  readonly exact: Map<string, R>
  /** Longest first. */
  readonly prefixes: { readonly prefix: string; readonly route: R }[]
}

/** The hosts that routes name. One without hosts has every other, and no path of these. */
export function namedHosts(routes: readonly Pick<Matchable, 'hosts'>[]): ReadonlySet<string> {
  return new Set(routes.flatMap(({ hosts }) => hosts))
}

/** Whether a route serves a host. `named`: by any route. */
export function servesHost({ hosts }: Pick<Matchable, 'hosts'>, host: string, named: ReadonlySet<string>): boolean {
  return hosts.length === 0 ? !named.has(host) : hosts.includes(host)
}

/**
 * Compiles a table. Two routes of one host and path: the first stands; the configuration refuses such before. `named`: the
 * hosts that are named by these, or by others whose hosts are not for the taking either.
 */
export function createRouteTable<R extends Matchable>(
  routes: readonly R[],
  named: ReadonlySet<string> = namedHosts(routes),
): RouteTable<R> {
  const hosts = new Map<string, Host<R>>()
  for (const route of routes) {
    for (const name of route.hosts.length === 0 ? [''] : route.hosts) {
      let host = hosts.get(name)
      if (host === undefined) hosts.set(name, (host = { exact: new Map(), prefixes: [] }))
      if (route.path.endsWith('/*')) host.prefixes.push({ prefix: route.path.slice(0, -1), route })
      else if (!host.exact.has(route.path)) host.exact.set(route.path, route)
    }
  }
  for (const { prefixes } of hosts.values()) prefixes.sort((a, b) => b.prefix.length - a.prefix.length)

  const lookUp = (host: Host<R> | undefined, path: string): R | null => {
    if (host === undefined) return null
    return host.exact.get(path) ?? host.prefixes.find(({ prefix }) => path.startsWith(prefix))?.route ?? null
  }
  return { find: (host, path) => lookUp(hosts.get(named.has(host) ? host : ''), path) }
}

/**
 * The name in a Host header: lower case, without port. What is no port is left there and served by no route of that name:
 * of `app.example:@evil.example` a backend makes a link to another host.
 */
export function hostName(header: string | undefined): string {
  return header === undefined ? '' : header.toLowerCase().replace(/:\d{1,5}$/, '')
}
