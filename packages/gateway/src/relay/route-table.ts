/** What a request is matched by. */
export interface Matchable {
  readonly hosts: readonly string[]
  /** Exact, or ending in `/*`. */
  readonly path: string
}

/** Finds what serves a host and path: an exact path before a pattern, the longest pattern before shorter ones, a named host before none. */
export interface RouteTable<R extends Matchable> {
  find(host: string, path: string): R | null
}

interface Host<R> {
  readonly exact: Map<string, R>
  /** Longest first. */
  readonly prefixes: { readonly prefix: string; readonly route: R }[]
}

/** Compiles a table. Two routes of one host and path: the first stands; the configuration refuses such before. */
export function createRouteTable<R extends Matchable>(routes: readonly R[]): RouteTable<R> {
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
  return { find: (host, path) => lookUp(hosts.get(host), path) ?? lookUp(hosts.get(''), path) }
}

/**
 * The name in a Host header: lower case, without port. What is no port is left there and served by no route of that name:
 * of `app.example:@evil.example` a backend makes a link to another host.
 */
export function hostName(header: string | undefined): string {
  return header === undefined ? '' : header.toLowerCase().replace(/:\d{1,5}$/, '')
}
