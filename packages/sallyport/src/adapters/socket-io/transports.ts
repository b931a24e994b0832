import { CLOSE_PATIENCE_MS } from '../../wire/close.ts'
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LiveConnection } from '../../connection/live-connection.ts'
import { isReported } from '../../model/reporting.ts'
import type { Policy } from '../../policy/types.ts'
import { deny } from '../../model/verdict.ts'
import type { EngineRequest } from './requests.ts'
import type { EnginePacket } from './server.ts'
import type { PacketStream } from './stream.ts'
import { faultOf } from '../ws/transport.ts'
import { BYTES_A_CHUNK } from '../ws/side.ts'

const NOT_UTF8 = deny('SALLY_MESSAGE_NOT_UTF8', { reason: 'post' })

/** Members of an Engine.IO transport that its types leave out. */
interface EngineTransport {
  readonly name: string
  /** The session that it opened; undefined while it is to take over another one's. */
  readonly sid?: string
  /** Whether the session has moved to another transport. */
  readonly discarded?: boolean
  dataReq?: IncomingMessage | null
  dataRes?: ServerResponse | null
  onPacket(packet: EnginePacket): void
  onData(text: string): void
  onError(message: string): void
  onDataRequest?(request: EngineRequest, response: ServerResponse): void
  headers?(request: EngineRequest, headers: object): Record<string, string>
}

/** Chunks of a body that are held: a body in pieces of one byte would take more bookkeeping than bytes. */
const MOST_CHUNKS = 256

interface SocketEvents {
  terminate(): void
  on(event: string, listener: () => void): unknown
  prependListener(event: string, listener: (error: unknown) => void): unknown
}

type EngineClass = new (options: object) => object

/** Members of Engine.IO's server that its types leave out. */
interface EngineInnards {
  readonly opts: { wsEngine: EngineClass; readonly maxHttpBufferSize: number }
  init(): void
  createTransport(name: string, request: EngineRequest & { readonly websocket?: SocketEvents }): EngineTransport
}

/** The stream of a session by its id. */
type FindStream = (sid: string) => PacketStream | undefined

/**
 * Guards each transport of an engine. Every packet of Engine.IO counts, on the transport in use and on one that the session
 * moves to. Frames have the bounds of the policy. A packet that is too big or malformed is an event.
 */
export function guardTransports(engine: EngineInnards, policy: Policy, find: FindStream): void {
  const { size } = policy.message
  // A control in report mode leaves the options of Engine.IO as they are.
  const locks = {
    ...(!isReported(policy, 'message/size') && {
      maxFragments: size.fragments,
      maxBufferedChunks: Math.max(1024, Math.ceil(size.bytes / BYTES_A_CHUNK)),
    }),
    ...(!isReported(policy, 'message/format') && { skipUTF8Validation: false }),
    ...(policy.report !== 'all' && { closeTimeout: CLOSE_PATIENCE_MS }),
    perMessageDeflate: false,
  }
  const Base = engine.opts.wsEngine
  engine.opts.wsEngine = class extends Base {
    constructor(options: object) {
      super({ ...options, ...locks })
    }
  }
  // Engine.IO has made its WebSocketServer already.
  engine.init()

  const create = engine.createTransport.bind(engine)
  engine.createTransport = (name, request) => {
    const transport = create(name, request)
    const { sid } = request._query
    const { websocket } = request
    const stream = (): PacketStream | undefined => find(sid || (transport.sid ?? ''))
    guardTransport(transport, engine.opts.maxHttpBufferSize, stream, () => websocket?.terminate())
    if (websocket !== undefined) guardFrames(websocket, () => stream()?.live)
    return transport
  }
}

/** `cut` ends a WebSocket at once. */
function guardTransport(
  transport: EngineTransport,
  mostBytes: number,
  stream: () => PacketStream | undefined,
  cut: () => void,
): void {
  const pass = transport.onPacket.bind(transport)
  transport.onPacket = packet => {
    const own = stream()
    // It ended, or moved to another transport: the peer is no longer read here.
    if (own?.live.readyState !== 1 || transport.discarded === true) return cut()
    if (packet.type === 'message' || own.control(packet)) pass(packet)
  }
  const post = transport.onDataRequest?.bind(transport)
  if (post === undefined) return
  transport.onDataRequest = (request, response) => {
    // Engine.IO refuses both by itself: two posts at once, and a binary body.
    if (transport.dataReq || request.headers['content-type'] === 'application/octet-stream') post(request, response)
    else readPost(transport, mostBytes, () => stream()?.live, request, response)
  }
}

/** Counts the control frames of a WebSocket, and reports what `ws` refuses. */
function guardFrames(socket: SocketEvents, live: () => LiveConnection | undefined): void {
  socket.on('ping', () => live()?.pinged())
  socket.on('pong', () => live()?.ponged())
  // Before Engine.IO's own listener, which ends the session.
  socket.prependListener('error', error => {
    if (String((error as { code?: unknown } | null)?.code).startsWith('WS_ERR_')) live()?.violation(...faultOf(error))
  })
}

/**
 * Reads the body of a post. Engine.IO itself replaces bytes that are not UTF-8 without a word, and does not report a
 * body that is too big.
 */
function readPost(
  transport: EngineTransport,
  mostBytes: number,
  live: () => LiveConnection | undefined,
  request: EngineRequest,
  response: ServerResponse,
): void {
  transport.dataReq = request
  transport.dataRes = response
  let chunks: Buffer[] = []
  let bytes = 0
  const finish = (): void => {
    request.removeListener('data', onData)
    request.removeListener('end', onEnd)
    request.removeListener('close', onClose)
    transport.dataReq = transport.dataRes = null
  }
  const answer = (status: number): void => {
    finish()
    request.resume()
    response.writeHead(status, { Connection: 'close' }).end()
  }
  const onClose = (): void => {
    finish()
    transport.onError('data request connection closed prematurely')
  }
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length
    if (bytes > mostBytes) {
      answer(413)
      live()?.end(deny('SALLY_MESSAGE_TOO_BIG', { reason: 'post', bytes: mostBytes }))
    } else if (chunks.push(chunk) === MOST_CHUNKS) chunks = [Buffer.concat(chunks)]
  }
  const onEnd = (): void => {
    const body = Buffer.concat(chunks, bytes)
    if (!isUtf8(body)) {
      live()?.end(NOT_UTF8)
      // Report mode goes on with the replaced bytes, as Engine.IO does.
      if (live()?.readyState !== 1) return answer(400)
    }
    const text = body.toString()
    transport.onData(text)
    const headers = transport.headers?.(request, { 'Content-Type': 'text/html', 'Content-Length': '2' })
    response.writeHead(200, headers).end('ok')
    finish()
  }
  request.on('close', onClose)
  request.on('data', onData)
  request.on('end', onEnd)
}

export type { EngineInnards }
