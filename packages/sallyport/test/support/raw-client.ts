import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What a raw client got from the server until the connection ended, or the head was whole. */
export interface Answer {
  /** 0 where the server ended the connection without a word. */
  readonly status: number
  /** Everything that came, as Latin-1. */
  readonly text: string
  /** Whether the server ended the connection. */
  readonly ended: boolean
}

/** Header lines of a handshake over a raw socket; each value stands as it is, bytes as Latin-1. */
export function handshakeText(options: {
  readonly port: number
  readonly request?: string
  /** Replaces, by lower-case name, the honest line or lines; '' leaves them out. */
  readonly replace?: Readonly<Record<string, string>>
  /** Further lines, without line ends. */
  readonly add?: readonly string[]
}): string {
  const { port, request = 'GET /ws HTTP/1.1', replace = {}, add = [] } = options
  const honest: Record<string, string> = {
    host: `Host: localhost:${port}`,
    connection: 'Connection: Upgrade',
    upgrade: 'Upgrade: websocket',
    'sec-websocket-version': 'Sec-WebSocket-Version: 13',
    'sec-websocket-key': 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    origin: `Origin: http://localhost:${port}`,
    ...replace,
  }
  const lines = [request, ...Object.values(honest).filter(line => line !== ''), ...add]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Opens a raw socket on loopback. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: 'localhost', allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Sends bytes (Latin-1) and reads until the server ends, or, for a 101, until its head is whole. */
export async function exchange(port: number, text: string): Promise<Answer> {
  const socket = await dial(port)
  const answer = answerOf(socket)
  socket.write(Buffer.from(text, 'latin1'))
  return answer
}

/** The answer on a socket; it is destroyed then. */
export function answerOf(socket: Socket): Promise<Answer> {
  return new Promise(resolve => {
    let text = ''
    const conclude = (ended: boolean): void => {
      socket.destroy()
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text, ended })
    }
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) conclude(false)
      // An answer to what was no handshake at all, on a connection that is kept alive.
      else if (text.startsWith('HTTP/1.1 404') && text.includes('{"code":"NOT_FOUND"}')) conclude(false)
    })
    socket.on('end', () => conclude(true))
    socket.on('close', () => conclude(true))
  })
}
