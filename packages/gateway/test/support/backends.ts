import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createNetServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { acceptAnswer } from 'sallyport/wire'
import { closing } from './leftovers.ts'

/** A backend on `ws` that keeps what it got, and echoes. */
export interface Backend {
  readonly target: string
  readonly port: number
  readonly server: Server
  readonly requests: IncomingMessage[]
  readonly sockets: WebSocket[]
  readonly received: { readonly data: Buffer; readonly isBinary: boolean }[]
  /** The code that each connection ended with, in order. */
  readonly ended: number[]
  /** Resolves with the next connection. */
  next(): Promise<WebSocket>
  close(): Promise<void>
}

export async function createBackend(
  options: ServerOptions & { readonly echo?: boolean; readonly listen?: string } = {},
): Promise<Backend> {
  const { echo = true, listen, ...further } = options
  const server = createServer()
  const sockets: WebSocket[] = []
  const requests: IncomingMessage[] = []
  const received: { data: Buffer; isBinary: boolean }[] = []
  const ended: number[] = []
  const wss = new WebSocketServer({ server, ...further })
  wss.on('connection', (socket, request) => {
    sockets.push(socket)
    requests.push(request)
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      received.push({ data, isBinary })
      if (echo) socket.send(data, { binary: isBinary })
    })
    socket.on('close', code => ended.push(code))
  })
  if (listen === undefined) server.listen(0, '127.0.0.1')
  else server.listen(listen)
  await once(server, 'listening')
  const port = listen === undefined ? (server.address() as AddressInfo).port : 0
  return {
    target: listen === undefined ? `ws://127.0.0.1:${port}` : `unix:${listen}`,
    port,
    server,
    requests,
    sockets,
    received,
    ended,
    next: async () => ((await once(wss, 'connection')) as [WebSocket])[0],
    close: closing(async () => {
      for (const socket of wss.clients) socket.terminate()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    }),
  }
}

/** A backend that is a bare socket: what it answers and does is the test's own. */
export interface RawBackend {
  readonly target: string
  readonly sockets: Socket[]
  close(): Promise<void>
}

export async function createRawBackend(connected: (socket: Socket) => void): Promise<RawBackend> {
  const sockets: Socket[] = []
  const server: NetServer = createNetServer(socket => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    connected(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    target: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    close: closing(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>(resolve => server.close(() => resolve()))
    }),
  }
}

/** Reads the handshake off a raw socket and answers 101; `then` gets the socket, which reads on. */
export function answering(
  then: (socket: Socket) => void,
  headers: Record<string, string> = {},
  tail: Buffer = Buffer.alloc(0),
): (socket: Socket) => void {
  return socket => {
    let text = ''
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (!text.includes('\r\n\r\n')) return
      socket.off('data', onData)
      const key = /sec-websocket-key: (.*)\r\n/i.exec(text)?.[1] ?? ''
      socket.write(Buffer.concat([Buffer.from(acceptAnswer(key, headers), 'latin1'), tail]))
      then(socket)
    }
    socket.on('data', onData)
  }
}
