import type { Connection } from '../../connection/connection.ts'
import { createDispatch } from '../../connection/handlers.ts'
import type { Core } from '../../guard/core.ts'
import type { Guard } from '../../guard/guard.ts'
import type { SchemaMap } from '../../model/schema-kinds.ts'
import type { Session } from '../../model/session.ts'
import type { ClassOption, WsClass, WsOptions, WsSocket } from '../../model/ws-types.ts'
import { liveOf, takeOver, type WebSocketClass } from './guarded-socket.ts'
import { loadWs } from './load-ws.ts'
import { createWsSide } from './side.ts'
import { requireClass } from './socket-class.ts'
import { refuseSpread } from './uncalled.ts'
import { createUpgradeHandler } from './upgrade.ts'

/** What a guard offers to servers of `ws`. */
export function createWsMethods<S extends Session, M extends SchemaMap>(
  core: Core,
): Pick<Guard<S, M>, 'ws' | 'upgrade' | 'connection' | 'handle'> {
  const side = createWsSide(core)
  const connectionOf = (socket: WsSocket): Connection<S> => {
    const live = liveOf(socket)
    if (live === undefined)
      throw new TypeError('this socket was not opened by a guard: create its server with ...guard.ws()')
    if (!side.opened(socket))
      throw new TypeError('this socket was opened by another guard, which judges it: ask that one')
    return live as unknown as Connection<S>
  }
  return {
    ws: refuseSpread(<W extends WsClass | undefined>(webSocket?: W): WsOptions & ClassOption<W> => {
      if (webSocket !== undefined) requireClass(webSocket)
      return side.options((webSocket as WebSocketClass | undefined) ?? loadWs().WebSocket) as unknown as WsOptions &
        ClassOption<W>
    }, 'guard.ws'),
    upgrade: (server, path) => createUpgradeHandler(side, server, path),
    connection: connectionOf,
    handle(socket, handlers) {
      const connection = connectionOf(socket)
      takeOver(socket, createDispatch(core.policy, handlers))
      return connection
    },
  }
}
