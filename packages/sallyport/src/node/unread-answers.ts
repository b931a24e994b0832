import type { Server } from 'node:http'
import { Server as SocketServer, type Socket } from 'node:net'
import { isAnswering } from './answering.ts'
import { requireServer } from './http-server.ts'

/** A peer that reads nothing of its answer for this time is cut, in ms. */
const UNREAD_MS = 60_000

/**
 * Cuts connections of plain HTTP whose peers do not read their answers. Node would wait for them without end, and each
 * one takes a connection of the server. A peer that waits for an answer is not cut, however long it takes. An upgraded
 * socket has other bounds, so its time-out must be removed.
 */
export function cutUnread(server: Server): void {
  requireServer('cutUnread', server)
  // As for the first-bytes reader: Bun reads and writes its sockets itself.
  if (!(server instanceof SocketServer)) return
  server.timeout = UNREAD_MS
  server.on('timeout', (socket: Socket) => {
    // Between two requests this time-out means that the time of keep-alive is over.
    if (socket.writableLength > 0 || !isAnswering(socket)) socket.destroy()
  })
}
