import type { Server } from 'node:http'
import { Server as SocketServer, type Socket } from 'node:net'
import { isAnswering } from './answering.ts'
import { requireServer } from './http-server.ts'

/** Who takes nothing of an answer for so long is cut, in ms. */
const UNREAD_MS = 60_000

/**
 * Cuts connections of plain HTTP whose peers do not read their answers. Node waits for them without end, and each holds
 * one of the connections that a server may have. Who waits for an answer is not cut, however long it takes. What is
 * upgraded has bounds of its own: its socket's time-out is to be taken off.
 */
export function cutUnread(server: Server): void {
  requireServer('cutUnread', server)
  // As for the first-bytes reader: Bun reads and writes its sockets by itself.
  if (!(server instanceof SocketServer)) return
  server.timeout = UNREAD_MS
  server.on('timeout', (socket: Socket) => {
    // Between two requests it is the time of keep-alive that is over.
    if (socket.writableLength > 0 || !isAnswering(socket)) socket.destroy()
  })
}
