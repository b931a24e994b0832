import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** A client's frame by hand. The mask is zero: masked as RFC 6455 §5.3 wants it, and readable in a dump. */
export function frame(
  opcode: number,
  payload: Buffer | string = '',
  { fin = true, rsv1 = false, announced }: { fin?: boolean; rsv1?: boolean; announced?: bigint } = {},
): Buffer {
  const body = Buffer.from(payload)
  const length = announced ?? BigInt(body.length)
  const first = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode
  let head: Buffer
  if (length < 126n) head = Buffer.from([first, 0x80 | Number(length)])
  else if (length < 65_536n) {
    head = Buffer.from([first, 0x80 | 126, 0, 0])
    head.writeUInt16BE(Number(length), 2)
  } else {
    head = Buffer.alloc(10)
    head[0] = first
    head[1] = 0x80 | 127
    head.writeBigUInt64BE(length, 2)
  }
  return Buffer.concat([head, Buffer.alloc(4), body])
}

/** A close frame's payload. */
export function closeOf(code: number, reason: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(reason)
  const payload = Buffer.alloc(2 + bytes.length)
  payload.writeUInt16BE(code, 0)
  bytes.copy(payload, 2)
  return payload
}

export interface Received {
  readonly opcode: number
  readonly payload: Buffer
}

/** A client that keeps to no rule but those of the test. */
export interface RawPeer {
  readonly socket: Socket
  /** Frames that came so far. */
  readonly received: readonly Received[]
  /** Resolves once the socket is gone; with the code and reason of the close frame, or 1006. */
  readonly ended: Promise<{ code: number; reason: string }>
  /** Resolves once a frame that matches has come. */
  frame(match: (received: Received) => boolean): Promise<Received>
}

export interface RawHandshake {
  readonly port: number
  readonly origin: string
  readonly path?: string
  readonly protocols: readonly string[]
  readonly cookie?: string
  readonly extensions?: string
  readonly allowHalfOpen?: boolean
  /** False: a close frame is not answered. Default true. */
  readonly answersClose?: boolean
}

/** Opens a connection by hand; rejects with the status line of a refusal. */
export async function rawPeer({
  port,
  origin,
  path = '/ws',
  protocols,
  cookie,
  extensions,
  allowHalfOpen = false,
  answersClose = true,
}: RawHandshake): Promise<RawPeer> {
  const socket = connect({ port, host: 'localhost', allowHalfOpen, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(
    [
      `GET ${path} HTTP/1.1`,
      `Host: localhost:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      `Origin: ${origin}`,
      ...(protocols.length > 0 ? [`Sec-WebSocket-Protocol: ${protocols.join(', ')}`] : []),
      ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
      ...(extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
      '\r\n',
    ].join('\r\n'),
  )
  const received: Received[] = []
  const waiting = new Set<() => void>()
  // A reset is an end too, where what this peer still sent was not read any more.
  const gone = new Promise(resolve => void socket.once('close', resolve))
  let rest = Buffer.alloc(0)
  let open = false
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      if (!open) {
        const end = rest.indexOf('\r\n\r\n')
        if (end === -1) return
        const status = rest.toString('latin1', 0, rest.indexOf('\r\n'))
        if (!status.startsWith('HTTP/1.1 101')) {
          reject(new Error(status))
          return
        }
        open = true
        rest = rest.subarray(end + 4)
        resolve()
      }
      for (;;) {
        const next = takeFrame(rest)
        if (next === null) break
        rest = next.rest
        received.push(next)
        if (next.opcode === OPCODE.close && answersClose) socket.write(frame(OPCODE.close, next.payload))
      }
      for (const wake of waiting) wake()
    })
    socket.once('close', () => reject(new Error('closed before an answer')))
  })
  return {
    socket,
    received,
    ended: gone.then(() => {
      const last = received.find(({ opcode }) => opcode === OPCODE.close)?.payload
      if (last === undefined) return { code: 1006, reason: '' }
      return { code: last.length < 2 ? 1005 : last.readUInt16BE(0), reason: last.toString('utf8', 2) }
    }),
    frame: match =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = received.find(match)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        socket.once('close', () => reject(new Error('the socket closed first')))
        look()
      }),
  }
}

/** The first whole frame of `bytes`, and what follows it; null while it is not whole. */
export function takeFrame(bytes: Buffer): (Received & { readonly rest: Buffer<ArrayBuffer> }) | null {
  if (bytes.length < 2) return null
  let length = bytes[1]! & 0x7f
  let start = 2
  if (length === 126) {
    if (bytes.length < 4) return null
    length = bytes.readUInt16BE(2)
    start = 4
  } else if (length === 127) {
    if (bytes.length < 10) return null
    length = Number(bytes.readBigUInt64BE(2))
    start = 10
  }
  if (bytes.length < start + length) return null
  return {
    opcode: bytes[0]! & 0x0f,
    payload: bytes.subarray(start, start + length),
    rest: bytes.subarray(start + length) as Buffer<ArrayBuffer>,
  }
}
