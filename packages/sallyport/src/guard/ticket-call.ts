import { kindOf } from '../shape/shown.ts'

/** How each host calls it. */
const HANDLER = "give it itself as the handler: app.post('/.sallyport/ticket', guard.ticket)"
const OF_NODE = 'write guard.ticket(request, response)'
const OF_FASTIFY = 'write guard.ticket(request, reply)'
const WITHOUT = 'set handshake.ticket.dangerouslyWithoutAddress: true'
const OF_WEB = 'write guard.ticket(request, { ip }), with the address of the peer as text'

/**
 * Throws a `TypeError` for a call that no host makes: a handler that was called and not passed, a missing response, or
 * a peer whose address has another name, so that it would be unknown.
 */
export function requireCall(request: unknown, other: unknown, withoutAddress = false): void {
  if (request instanceof Request) {
    const ip: unknown = isObject(other) ? other['ip'] : undefined
    if (typeof ip === 'string' && ip !== '') return
    const isMissing = other === undefined || (isObject(other) && 'ip' in other && (ip === undefined || ip === ''))
    if (isMissing && withoutAddress) return
    const what = isMissing ? 'the address of the peer is missing' : `the peer is ${kindOf(other)} without an \`ip\``
    fault(what, `${OF_WEB}; where the host knows none, ${WITHOUT}`)
  } else if (isObject(request) && isObject(request['raw'])) {
    if (!has(other, 'code') || !has(other, 'send')) fault(`the reply is ${kindOf(other)}`, OF_FASTIFY)
  } else if (isObject(request) && isObject(request['headers'])) {
    if (!has(other, 'setHeader') || !has(other, 'end')) fault(`the response is ${kindOf(other)}`, OF_NODE)
  } else fault(`the request is ${kindOf(request)}`, HANDLER)
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}

const has = (value: unknown, method: string): boolean => isObject(value) && typeof value[method] === 'function'

function fault(what: string, remedy: string): never {
  throw new TypeError(`guard.ticket: ${what}; ${remedy}`)
}
