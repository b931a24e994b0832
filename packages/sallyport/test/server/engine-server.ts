import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createGuard } from '../../src/index.ts'
import type { Connection } from '../../src/connection/connection.ts'
import type { Delivery } from '../../src/connection/services.ts'
import type { ControlId } from '../../src/model/verdict.ts'
import { insideOf } from '../../src/guard/registry.ts'
import { createReception } from '../../src/server/engine.ts'
import { type FirstBytesReader, installFirstBytesReader } from '../../src/node/first-bytes-reader.ts'
import { closePayload, Decoder, FIN, frameSize, OPCODE, textOf, writeMaskedFrame } from '../../src/wire/index.ts'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'

/** A server on the engine, with every message accepted unless `policy` says otherwise. */
export interface EngineServer {
  readonly port: number
  readonly server: Server
  readonly firstBytes: FirstBytesReader
  /** Connections as the app got them, in order. */
  readonly connections: Connection[]
  /** Close codes as the app was told them. */
  readonly closed: number[]
  /** Codes of the events that the guard told. */
  readonly codes: string[]
  /** Sockets as the server got them, in order. */
  readonly sockets: Socket[]
  /** The raw socket of a new client. */
  dial(): Socket
  /** Resolves once the first connection has ended, with all close codes. */
  ends(): Promise<readonly number[]>
  close(): Promise<void>
}

export interface EngineServerOptions {
  readonly tls?: boolean
  readonly firstBytes?: boolean
  /** False: the first-bytes reader tells of a handshake by the event alone. */
  readonly receives?: boolean
  readonly silenceMs?: number
  readonly noDelay?: boolean
  readonly policy?: {
    readonly handshake?: object
    readonly message?: object
    readonly lifetime?: object
    readonly report?: readonly ControlId[]
  }
  readonly message?: Delivery['message']
  readonly open?: (connection: Connection) => void
  readonly request?: RequestListener
}

/** Sends a message back as it came: text as text, binary as binary. */
export const echo: Delivery['message'] = (subject, connection) => {
  if (subject.text !== null) connection.send(subject.text)
  else if (subject.data !== null) connection.send(subject.data)
}

/** Counts the writes of a socket from now on: those past its stream, which ask for its descriptor, and its stream's. */
export function countWrites(socket: Socket): () => number {
  type Write = (...given: unknown[]) => unknown
  const { _handle: handle } = socket as unknown as { readonly _handle: Record<'writeBuffer' | 'writev', Write> }
  const { fd } = handle as unknown as { readonly fd: number }
  let writes = 0
  Object.defineProperty(handle, 'fd', {
    get() {
      writes++
      return fd
    },
  })
  for (const name of ['writeBuffer', 'writev'] as const) {
    const write = handle[name]
    handle[name] = (...given) => {
      writes++
      return write.apply(handle, given)
    }
  }
  return () => writes
}

/** Starts one; it is closed after the test. */
export async function startEngine(
  context: { after(hook: () => Promise<void>): void } | null,
  options: EngineServerOptions = {},
): Promise<EngineServer> {
  const { tls = false, firstBytes: readsFirst = true, policy = {} } = options
  const codes: string[] = []
  const guard = createGuard({
    handshake: {
      origin: { dangerouslyAllowAnyOrigin: true },
      session: { dangerouslyAnonymous: true },
      transport: { dangerouslyAllowPlaintext: true },
      host: { allow: ['app.test', '127.0.0.1', 'localhost'] },
      rate: {
        perIp: { attempts: 1e6, per: '1 s' },
        perUser: { attempts: 1e6, per: '1 s' },
        total: { attempts: 1e6, per: '1 s' },
      },
      connections: { total: 1e6, perIp: 1e6, perUser: 1e6 },
      ...policy.handshake,
    } as never,
    message: {
      schema: { dangerouslyAcceptAnyMessage: true },
      format: { data: 'any' },
      size: { bytes: 1 << 20, fragments: 64, controlFrames: { frames: 1e6, per: '1 s' } },
      rate: { dangerouslyOff: true },
      ...policy.message,
    } as never,
    lifetime: { ...policy.lifetime },
    report: policy.report ?? false,
    events: { log: { info() {}, warn() {}, error() {} } as never },
  })
  guard.on(event => codes.push(String((event as { code?: unknown }).code)))
  const { core } = insideOf(guard)
  const connections: Connection[] = []
  const closed: number[] = []
  const ending = Promise.withResolvers<void>()
  const sockets: Socket[] = []
  const delivery: Delivery = {
    message: options.message ?? echo,
    open(connection) {
      connections.push(connection)
      options.open?.(connection)
    },
    closed(_connection, code) {
      closed.push(code)
      ending.resolve()
    },
  }
  const answer: RequestListener = options.request ?? ((_request, response) => response.end('http'))
  const server = tls
    ? createTlsServer({ key: KEY, cert: CERTIFICATE }, answer)
    : createServer({ noDelay: options.noDelay ?? true }, answer)
  const reception = createReception(core, delivery)
  const firstBytes = readsFirst
    ? installFirstBytesReader(
        server,
        options.silenceMs ?? 10_000,
        options.receives === false ? undefined : reception.read,
      )
    : { close() {} }
  server.on('upgrade', reception.upgrade)
  server.prependListener(tls ? 'secureConnection' : 'connection', (socket: Socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const engine: EngineServer = {
    port,
    server,
    firstBytes,
    connections,
    closed,
    codes,
    sockets,
    dial: () => (tls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1')),
    async ends() {
      await ending.promise
      return closed
    },
    async close() {
      const stopped = once(server, 'close')
      server.close()
      firstBytes.close()
      server.closeAllConnections()
      for (const socket of sockets) socket.destroy()
      await stopped
    },
  }
  context?.after(() => engine.close())
  return engine
}

export const HANDSHAKE = [
  'GET /chat HTTP/1.1',
  'Host: app.test',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Origin: https://app.test',
  '',
  '',
].join('\r\n')

/** A request of a page, which is no handshake. */
export const GET = 'GET /page HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n'

/** A client that speaks in bytes. */
export interface RawClient {
  readonly socket: Socket
  /** What arrived of the HTTP answer. */
  readonly answer: string
  /** What arrived behind it: `text …`, `binary …`, `ping …`, `close …`. */
  readonly heard: readonly string[]
  send(...frames: readonly (Buffer | string)[]): void
  /** Resolves once so many lines were heard. */
  hears(count: number): Promise<readonly string[]>
  /** Resolves once the socket is closed, with all that was heard. */
  closes(): Promise<readonly string[]>
}

/** Opens a connection by a raw handshake. */
export async function open(server: Pick<EngineServer, 'dial'>, handshake: string = HANDSHAKE): Promise<RawClient> {
  const socket = server.dial()
  const heard: string[] = []
  let answer = ''
  const waits: { count: number; resolve: () => void }[] = []
  const tell = (line: string): void => {
    heard.push(line)
    for (const wait of waits) if (heard.length >= wait.count) wait.resolve()
  }
  const bounds = { frameBytes: Infinity, messageBytes: Infinity, fragments: Infinity }
  const decoder = new Decoder(
    { peer: 'server', limits: bounds },
    {
      text: (bytes, start, end, ascii) => tell(`text ${textOf(bytes, start, end, ascii)}`),
      binary: (bytes, start, end) => tell(`binary ${bytes.toString('hex', start, end)}`),
      pinged: (bytes, start, end) => tell(`ping ${bytes.toString('latin1', start, end)}`),
      ponged: (bytes, start, end) => tell(`pong ${bytes.toString('latin1', start, end)}`),
      closing: (code, reason) => tell(`close ${code} ${reason}`.trim()),
      fault: fault => tell(`fault ${fault.code}`),
    },
  )
  const opened = new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk: Buffer) => {
      let frames = chunk
      if (!answer.includes('\r\n\r\n')) {
        const text = answer + chunk.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        answer = end === -1 || !text.startsWith('HTTP/1.1 101') ? text : text.slice(0, end + 4)
        if (end === -1) return
        frames = answer === text ? Buffer.alloc(0) : Buffer.from(text.slice(end + 4), 'latin1')
        resolve()
      }
      if (answer.startsWith('HTTP/1.1 101')) decoder.push(Buffer.from(frames))
      else if (frames === chunk) answer += chunk.toString('latin1')
    })
  })
  const gone = new Promise<void>(resolve => void socket.on('close', () => resolve()))
  socket.write(handshake)
  await opened
  return {
    socket,
    heard,
    get answer() {
      return answer
    },
    send(...frames) {
      socket.write(Buffer.concat(frames.map(part => (typeof part === 'string' ? text(part) : part))))
    },
    async hears(count) {
      if (heard.length < count) await new Promise<void>(resolve => waits.push({ count, resolve }))
      return heard
    },
    async closes() {
      await gone
      return heard
    },
  }
}

/** A client's frame. */
export function frame(first: number, payload: Uint8Array): Buffer {
  const target = Buffer.alloc(frameSize(payload.length) + 4)
  writeMaskedFrame(target, 0, first, payload)
  return target
}

export const text = (message: string): Buffer => frame(FIN | OPCODE.text, Buffer.from(message))
export const ping = (payload: string): Buffer => frame(FIN | OPCODE.ping, Buffer.from(payload))
export const close = (code: number, reason = ''): Buffer => frame(FIN | OPCODE.close, closePayload(code, reason))

/** Sends the parts, each in its own read of the server, and gives all that came back. */
export async function exchange(
  engine: Pick<EngineServer, 'dial'>,
  ...parts: readonly (string | Buffer)[]
): Promise<string> {
  const socket = engine.dial()
  socket.on('error', () => undefined)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const closed = new Promise(resolve => socket.on('close', resolve))
  await once(socket, 'encrypted' in socket ? 'secureConnect' : 'connect')
  socket.setNoDelay(true)
  for (const part of parts) {
    socket.write(part)
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }
  await closed
  return Buffer.concat(chunks).toString('latin1')
}
