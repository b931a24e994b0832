import { kindOf } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'

/** Throws a `TypeError` for a value that is not a server. Otherwise it would be ignored in silence. */
export function requireServer(who: string, server: unknown): void {
  if (typeof (server as { on?: unknown } | null | undefined)?.on === 'function') return
  const remedy = isThenable(server) ? 'await it first' : 'give what createServer() of node:http or node:https returned'
  throw new TypeError(`${who}: server is ${kindOf(server)}; ${remedy}`)
}
