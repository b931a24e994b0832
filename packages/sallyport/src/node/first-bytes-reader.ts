import type { Server } from 'node:http'
import { Server as SocketServer, type Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { readUpgrade, type Upgrade } from '../wire/index.ts'
import { type FirstReceiver, leaveFirst, readFirst } from './shared-read.ts'
import { EngineRequest } from './upgrade-request.ts'
import { requireServer } from './http-server.ts'
import { watchHandshakes } from './tls-handshakes.ts'

/** The first-bytes reader before an HTTP server. */
export interface FirstBytesReader {
  /**
   * Cuts the connections that have sent nothing yet, also those with an unfinished TLS handshake. The HTTP server
   * closes the connections that it has received.
   */
  close(): void
}

/**
 * Takes a handshake that the first-bytes reader read, together with its socket. The socket has a listener for errors
 * and is flowing. A receiver that does not answer within the call, and so neither reads nor destroys the socket, must
 * pause it.
 */
export type ReadReceiver = (upgrade: Upgrade, socket: Socket) => void

/** Interval, in ms, of the one timer for all silent connections. */
const SWEEP_MS = 1000
const NO_HEAD = Buffer.alloc(0)
const NO_READER: FirstBytesReader = { close() {} }

/**
 * Reads the first bytes of every connection before the HTTP server does. One correct WebSocket handshake, and nothing
 * else, becomes an `upgrade` event without Node's parser. Everything else goes on to the server unchanged, byte for
 * byte, and the server judges it. A server that is not from `node:net`, such as Bun's, reads its sockets by itself. It
 * keeps them, and no reader is installed.
 *
 * @param server a server that does not listen yet
 * @param silenceMs how long a connection may send nothing, in ms, rounded to seconds
 * @param receive called instead of the `upgrade` event if its one listener does the same; with more listeners the event
 * is emitted
 */
export function installFirstBytesReader(server: Server, silenceMs: number, receive?: ReadReceiver): FirstBytesReader {
  requireServer('installFirstBytesReader', server)
  if (!(server instanceof SocketServer)) return NO_READER
  const event = server instanceof TlsServer ? 'secureConnection' : 'connection'
  const http = server.listeners(event) as ((this: Server, socket: Socket) => void)[]
  server.removeAllListeners(event)
  const endHandshakes = server instanceof TlsServer ? watchHandshakes(server) : null
  /** Connections that have sent nothing, oldest first, with the time of their arrival. */
  const silent = new Map<Socket, number>()
  let sweeper: NodeJS.Timeout | null = null

  function handOn(socket: Socket, chunk: Buffer): void {
    // Paused, so that the server's own listener gets these bytes first.
    socket.pause()
    leaveFirst(socket)
    socket.off('error', cut)
    // `serve` sets it later on the sockets that are kept. A refused socket does not need it.
    if (!('encrypted' in socket)) socket.setNoDelay(true)
    socket.unshift(chunk)
    for (const listener of http) listener.call(server, socket)
    socket.resume()
  }

  function first(socket: Socket, chunk: Buffer, owned: boolean): void {
    silent.delete(socket)
    socket.off('end', cut)
    const listeners = server.listenerCount('upgrade')
    const upgrade = listeners > 0 ? readUpgrade(chunk) : null
    if (upgrade === null) handOn(socket, owned ? chunk : Buffer.from(chunk))
    else {
      // `cut` stays as the error listener: the receiver of an upgrade needs one at once.
      if (receive !== undefined && listeners === 1) receive(upgrade, socket)
      else {
        socket.pause()
        server.emit('upgrade', new EngineRequest(socket, upgrade), socket, NO_HEAD)
      }
    }
  }

  const reader: FirstReceiver = {
    first: (socket, chunk) => first(socket, chunk, false),
    gone: socket => void silent.delete(socket),
  }

  function firstData(this: Socket, chunk: Buffer): void {
    this.off('data', firstData)
    first(this, chunk, true)
  }

  function sweep(): void {
    const bound = Date.now() - silenceMs
    for (const [socket, since] of silent) {
      if (since > bound) break
      socket.destroy()
    }
    if (silent.size > 0) return
    clearInterval(sweeper!)
    sweeper = null
  }

  server.on(event, (socket: Socket) => {
    silent.set(socket, Date.now())
    sweeper ??= setInterval(sweep, SWEEP_MS).unref()
    socket.on('error', cut)
    // A half-open socket would keep its place until the next sweep.
    socket.on('end', cut)
    if (!readFirst(socket, reader)) socket.on('data', firstData)
  })

  return {
    close() {
      endHandshakes?.()
      for (const socket of silent.keys()) socket.destroy()
      if (sweeper !== null) clearInterval(sweeper)
      sweeper = null
    },
  }
}

function cut(this: Socket): void {
  this.destroy()
}
