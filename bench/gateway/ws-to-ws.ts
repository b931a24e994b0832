// A proxy of `ws` on both sides that checks no message: what is written by hand where messages are to be seen.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { BACKEND_PORT, readyProxy } from './ready.ts'

const server = createServer()
const sockets = new WebSocketServer({
  server,
  perMessageDeflate: false,
  verifyClient: ({ origin }: { origin: string }, answer: (ok: boolean, status?: number) => void) =>
    answer(origin === 'http://app.localhost', 403),
})
sockets.on('connection', client => {
  const backend = new WebSocket(`ws://127.0.0.1:${BACKEND_PORT}/`, { perMessageDeflate: false })
  const early: [Buffer, boolean][] = []
  client.on('message', (data: Buffer, isBinary) => {
    if (backend.readyState === WebSocket.OPEN) backend.send(data, { binary: isBinary })
    else early.push([data, isBinary])
  })
  backend.on('open', () => {
    for (const [data, binary] of early) backend.send(data, { binary })
  })
  backend.on('message', (data: Buffer, isBinary) => client.send(data, { binary: isBinary }))
  client.on('close', () => backend.terminate())
  backend.on('close', () => client.terminate())
  client.on('error', () => undefined)
  backend.on('error', () => undefined)
})
server.listen(0, '127.0.0.1', () => readyProxy((server.address() as AddressInfo).port))
