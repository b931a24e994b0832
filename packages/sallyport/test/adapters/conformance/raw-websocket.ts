// A WebSocket client by hand: it writes what it is told, and reads frames without judging them.
import { once } from 'node:events'
import { connect } from 'node:net'
import { closeOf, frame, OPCODE, takeFrame } from '../../guard/raw-peer.ts'
import { queue } from './queue.ts'
import { type Client, type Dialling, Refused } from './way-in.ts'

/** Where to connect, and how the messages of the app look in text frames. */
export interface Target {
  readonly port: number
  readonly path: string
  readonly host?: string
  /** The text frame of a message; default the JSON itself. */
  encode?(json: string): string
  /** Returns the message of a text frame, and undefined for every other frame. `reply` writes a text frame. */
  decode?(text: string, reply: (text: string) => void): string | undefined
  /** Whether a text frame says that messages may be sent. Default: they may, once 101 came. */
  opens?(text: string): boolean
}

/** Connects, and resolves once messages may be sent. Rejects with a {@link Refused}. */
export async function dialWebSocket(target: Target, dialling: Dialling): Promise<Client> {
  const { port, encode = same, decode = same, host = `localhost:${port}` } = target
  const { answersPings = true } = dialling
  const socket = connect({ port, host: 'localhost', noDelay: true })
  socket.on('error', () => undefined)
  const gone = new Promise(resolve => void socket.once('close', resolve))
  await once(socket, 'connect')
  const write = (opcode: number, payload: Buffer | string = '', form = {}): void =>
    void socket.write(frame(opcode, payload, form))
  const inbox = queue<string>()
  const pings = queue<void>()
  let code = 1006
  let rest: Buffer = Buffer.alloc(0)
  let isOpen = false
  const take = (opcode: number, payload: Buffer): void => {
    if (opcode === OPCODE.text) {
      if (target.opens?.(payload.toString()) === true) opened.resolve()
      const message = decode(payload.toString(), text => write(OPCODE.text, text))
      if (message !== undefined) inbox.put(message)
    } else if (opcode === OPCODE.ping) {
      pings.put()
      if (answersPings) write(OPCODE.pong, payload)
    } else if (opcode === OPCODE.close) {
      code = payload.length < 2 ? 1005 : payload.readUInt16BE(0)
      write(OPCODE.close, payload)
    }
  }
  const opened = Promise.withResolvers<void>()
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    if (!isOpen) {
      const end = rest.indexOf('\r\n\r\n')
      if (end === -1 || !rest.toString('latin1', 0, 12).startsWith('HTTP/1.1 101')) return
      isOpen = true
      rest = rest.subarray(end + 4)
      if (target.opens === undefined) opened.resolve()
    }
    for (let next = takeFrame(rest); next !== null; next = takeFrame(rest)) {
      rest = next.rest
      take(next.opcode, next.payload)
    }
  })
  void gone.then(() => {
    const answer = rest.toString('latin1')
    opened.reject(new Refused(Number(answer.slice(9, 12)), answer.slice(answer.indexOf('\r\n\r\n') + 4)))
  })
  socket.write(headOf(target.path, host, dialling))
  await opened.promise
  return {
    say: json => write(OPCODE.text, encode(json)),
    sayBinary: bytes => write(OPCODE.binary, Buffer.from(bytes)),
    next: async () => JSON.parse(await inbox.take()) as { readonly [key: string]: unknown },
    pinged: () => pings.take(),
    write: bytes => void socket.write(bytes),
    sayInFragments(json) {
      const bytes = Buffer.from(encode(json))
      const third = Math.floor(bytes.length / 3)
      write(OPCODE.text, bytes.subarray(0, third), { fin: false })
      write(OPCODE.ping, 'between')
      write(OPCODE.continuation, bytes.subarray(third, 2 * third), { fin: false })
      write(OPCODE.continuation, bytes.subarray(2 * third))
    },
    stopReading: () => void socket.pause(),
    close: closeCode => write(OPCODE.close, closeOf(closeCode)),
    cut: () => socket.destroy(),
    ended: gone.then(() => code),
  }
}

const same = (text: string): string => text

function headOf(path: string, host: string, { origin, sid, ticket }: Dialling): string {
  const query = ticket === null ? '' : `${path.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`
  return [
    `GET ${path}${query} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    ...(origin === null ? [] : [`Origin: ${origin}`]),
    ...(sid === null ? [] : [`Cookie: sid=${sid}`]),
    '\r\n',
  ].join('\r\n')
}
