import { kindOf } from '../../shape/shown.ts'

/**
 * Throws a `TypeError` for anything but a class of sockets of `ws`: options of a server, the class of the server, or the
 * client class of the runtime.
 */
export function requireClass(given: unknown): void {
  const prototype: unknown = typeof given === 'function' ? given.prototype : undefined
  if (typeof prototype === 'object' && prototype !== null && 'setSocket' in prototype) return
  const remedy =
    typeof given === 'function'
      ? 'give the WebSocket of ws, or a class that extends it'
      : 'options go beside it: new WebSocketServer({ port: 8080, ...guard.ws() })'
  throw new TypeError(`guard.ws takes the class of the sockets alone, or nothing, not ${kindOf(given)}; ${remedy}`)
}
