import type { IncomingMessage } from 'node:http'
import { isAnswering } from '../../node/answering.ts'
import { refuseSocket } from '../../node/refuse-socket.ts'
import { socketOf } from '../../node/upgrade-socket.ts'
import type { UpgradeHandler, WsServer, WsSocket } from '../../model/ws-types.ts'
import { show } from '../../shape/shown.ts'
import type { WsSide } from './side.ts'
import { withKeptOffer } from './handshake.ts'
import { whenProven } from './guarded-socket.ts'

/** The `readyState` of a socket that is open. */
const OPEN = 1

/**
 * Serves one path of an HTTP server's `upgrade` event with a `WebSocketServer({ noServer: true, ...guard.ws() })`. A
 * refusal is one write, before anything is allocated for the connection. Throws a `TypeError` for a server whose sockets
 * this guard would not see, and for a path that no request can have.
 */
export function createUpgradeHandler(side: WsSide, server: WsServer, path: string): UpgradeHandler {
  if (typeof path !== 'string' || !/^\/[^?#\s]*$/.test(path)) {
    throw new TypeError(`guard.upgrade: path is ${show(path)}; write a path that begins with a slash: '/ws'`)
  }
  const missing = side.missing(server)
  if (missing === 'perMessageDeflate') {
    throw new TypeError(
      'the option perMessageDeflate of the WebSocketServer was replaced: write ...guard.ws() last, and handshake.extensions.deflate in the policy',
    )
  }
  if (missing !== null) {
    throw new TypeError(
      'the WebSocketServer is not guarded by this guard: write new WebSocketServer({ noServer: true, ...guard.ws() })',
    )
  }
  const announce = (open: WsSocket, request: IncomingMessage): void => {
    if (!side.isDeferred) {
      server.emit('connection', open, request)
      return
    }
    // It also leaves the set of clients: a peer without proof must not get what the app sends to all of them.
    const { clients } = server as { readonly clients?: Set<WsSocket> }
    const isTracked = clients?.delete(open)
    whenProven(open, () => {
      if (isTracked === true && open.readyState === OPEN) clients?.add(open)
      server.emit('connection', open, request)
    })
  }
  const keepsEmpty = side.reports('handshake/subprotocol')
  const windowBits = side.reports('handshake/extensions') ? null : side.windowBits
  return (request, socket, head) => {
    if (request.url?.split('?', 1)[0] !== path) return false
    // A line without a value offers nothing; `ws` answers 400 to it.
    if (!keepsEmpty && request.headers['sec-websocket-protocol'] === '')
      delete request.headers['sec-websocket-protocol']
    // Before anything is awaited: a peer that resets meanwhile must not end the process.
    socket.on('error', () => socket.destroy())
    const own = socketOf(request, socket)
    const conclude = (answer: Awaited<ReturnType<WsSide['admit']>>): void => {
      if (!answer.pass) refuseSocket(own, answer)
      else if (!socket.destroyed) {
        const complete = (): void => server.handleUpgrade(request, socket, head, open => announce(open, request))
        if (windowBits === null) complete()
        else withKeptOffer(request, windowBits, complete)
      }
    }
    const answer = side.admit(request, head.length > 0 || isAnswering(own, request))
    if (answer instanceof Promise) void answer.then(conclude)
    else conclude(answer)
    return true
  }
}
