import type { Reading } from './reading.ts'
import { POLLING } from './route-shape.ts'
import { isLoopback } from 'sallyport/internal'
import type { GatewayConfig, HttpConfig } from '../model/config.ts'

/** Something that is weaker than it could be. */
export interface Weakness {
  readonly path: string
  readonly message: string
  /** Why it may be so, as the file says; null: it does not. */
  readonly accepted: string | null
}

/** What a configuration weakens beside its policies. The policies' own `report()` lists theirs. */
export function weaknessesOf(config: GatewayConfig, { document, plaintext }: Reading): readonly Weakness[] {
  const found: Weakness[] = []
  const note = (path: string, message: string): void => void found.push({ path, message, accepted: null })
  /** Of what may be accepted where it stands: `of` is the path of that. */
  const noteClear = (of: string, path: string, what: string): void => {
    const accepted = plaintext.get(of) ?? null
    const remedy =
      accepted === null ? ': only within a network of your own, and say why in dangerouslyAllowPlaintext' : ''
    found.push({ path, message: `${what}${remedy}`, accepted })
  }
  for (const { name, address, tls } of config.listeners) {
    if (tls === null && 'host' in address && !isLoopback(address.host) && config.proxy === null)
      note(
        `listeners.${name}`,
        'plain on a public address, and no proxy is trusted: every handshake from elsewhere is refused (426)',
      )
  }
  for (const [name, { targets, tls }] of Object.entries(config.upstreams)) {
    if (tls?.dangerouslyAcceptAnyCertificate === true)
      note(`upstreams.${name}.tls.dangerouslyAcceptAnyCertificate`, 'whoever answers is believed to be the backend')
    for (const [index, target] of targets.entries()) {
      const host = plainHost(target)
      if (host === null) continue
      const shown = document.from(['upstreams', name, 'targets', index]) ?? host
      noteClear(`upstreams.${name}`, `upstreams.${name}`, `messages and identity go in clear to ${shown}`)
    }
  }
  for (const { id, relay } of config.routes) {
    const passed = relay.dangerouslyPassHeaders ?? []
    if (passed.length > 0)
      note(
        `routes.${id}.relay.dangerouslyPassHeaders`,
        `the backend gets from every client what it claims by ${passed.join(', ')}`,
      )
  }
  for (const { id, http } of config.routes) {
    if (http !== null) noteWay(note, id, http, document.value)
  }
  if (config.store != null && plainHost(config.store.url) !== null)
    noteClear('store.redis', 'store.redis.url', 'what gateways tell Redis goes in clear')
  for (const { id, session } of config.routes) {
    const host = session.kind === 'forwardAuth' ? plainHost(session.url) : null
    if (host === null) continue
    const of = `routes.${id}.session.forwardAuth`
    const shown = document.from(['routes', id, 'session', 'forwardAuth', 'url']) ?? host
    noteClear(of, `${of}.url`, `cookies go in clear to ${shown}`)
  }
  return found
}

/** Host and port of what leaves this machine in clear; null for what does not. */
function plainHost(target: string): string | null {
  const url = URL.parse(target)
  return url !== null && /^(?:ws|http|redis):$/.test(url.protocol) && !isLoopback(url.hostname) ? url.host : null
}

/** Plain HTTP beside a WebSocket: whatever else the backend speaks there is a way around both doors. */
function noteWay(
  note: (path: string, message: string) => void,
  id: string,
  { upstream, refuse: refused = [] }: HttpConfig,
  file: unknown,
): void {
  const said = (file as { routes: { [id: string]: { http?: object | null } } }).routes[id]?.http ?? {}
  if (!refused.includes(POLLING))
    note(`routes.${id}.http.dangerouslyPassPolling`, `long polling of Socket.IO reaches ${upstream} around both doors`)
  else if (!('refuse' in said) || said.refuse === null)
    note(
      `routes.${id}.http`,
      `plain HTTP reaches ${upstream} unguarded: a transport there (SockJS, SignalR, polling of its own) is a way around both doors; name it in http.refuse, or write refuse: [] where there is none`,
    )
}
