import { createHash, timingSafeEqual } from 'node:crypto'
import { chmodSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AdminConfig } from '../model/config.ts'
import { isLoopback } from 'sallyport/internal'
import type { AdminEndpoint } from './admin-api.ts'
import type { Refusals } from '../listener/refusals.ts'

/** The operator's door, open. */
export interface AdminServer {
  /** The bound port; null for a unix socket. */
  readonly port: number | null
  close(): Promise<void>
}

const MOST_BODY = 16 * 1024

/** Names this listener in the events of refused clients. */
const LISTENER = 'admin'
const TOKEN_REMEDY = 'send Authorization: Bearer and the value of admin.token'

/** Serves the endpoints on loopback or a unix socket; `refusals` gets each client without the token. Rejects where the address is taken. */
export async function serveAdmin(
  config: AdminConfig,
  endpoints: { readonly [path: string]: AdminEndpoint },
  refusals: Pick<Refusals, 'note' | 'stop'>,
): Promise<AdminServer> {
  const isToken = createTokenCheck(config.token)
  const refused = (reason: 'admin-token' | 'admin-host', { socket, headers, url }: IncomingMessage): void =>
    refusals.note(LISTENER, reason, { ip: socket.remoteAddress, host: headers.host, path: url })
  const server = createServer(
    { maxHeaderSize: 16 * 1024, requestTimeout: 60_000, headersTimeout: 30_000 },
    (request, response) => {
      handle(request, response, endpoints, isToken, refused, 'host' in config.address).catch(() => {
        if (!response.headersSent) write(response, 500, { error: 'it failed' })
        else response.destroy()
      })
    },
  )
  server.maxConnections = 256
  if ('socket' in config.address) await listenOnSocket(server, config.address.socket)
  else await listenOn(server, config.address.host, config.address.port)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : null,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
        refusals.stop()
      }),
  }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  endpoints: { readonly [path: string]: AdminEndpoint },
  isToken: (authorization: string | undefined) => boolean,
  refused: (reason: 'admin-token' | 'admin-host', request: IncomingMessage) => void,
  isTcp: boolean,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://admin')
  // A page on a rebound name reaches loopback too; it cannot send the token, and is not even asked for it.
  if (isTcp && !isLoopback((request.headers.host ?? '').replace(/:\d+$/, ''))) {
    refused('admin-host', request)
    return write(response, 421, { error: 'not a name of loopback', remedy: 'ask 127.0.0.1 or localhost' })
  }
  const endpoint = url !== null && Object.hasOwn(endpoints, url.pathname) ? endpoints[url.pathname] : undefined
  if (endpoint?.open !== true && !isToken(request.headers.authorization)) {
    refused('admin-token', request)
    return write(
      response,
      401,
      { error: 'the token is missing or wrong', remedy: TOKEN_REMEDY },
      { 'WWW-Authenticate': 'Bearer' },
    )
  }
  if (endpoint === undefined || url === null)
    return write(response, 404, { error: 'no such endpoint', known: Object.keys(endpoints) })
  const method = request.method === 'HEAD' ? 'GET' : request.method
  if (method !== endpoint.method)
    return write(
      response,
      405,
      { error: 'not this method', remedy: `ask by ${endpoint.method}` },
      { Allow: endpoint.method },
    )
  const body = endpoint.method === 'POST' ? await readBody(request) : undefined
  if (body === null)
    return write(response, 400, { error: `not JSON of at most ${MOST_BODY} bytes` }, { Connection: 'close' })
  const answer = await endpoint.answer({ query: url.searchParams, body })
  write(response, answer.status, answer.body, answer.headers)
}

/** Parsed JSON; undefined for no body; null for one that is too large or no JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > MOST_BODY) return null
    chunks.push(chunk as Buffer)
  }
  if (size === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return null
  }
}

function write(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** A socket that only this user may open; one that a dead process left is taken over, a live one never. */
async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() === true) {
    if (await answers(path))
      throw Object.assign(new Error(`${path} is in use by another process`), { code: 'EADDRINUSE' })
    rmSync(path)
  }
  const before = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path, exclusive: true }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } finally {
    process.umask(before)
  }
  chmodSync(path, 0o600)
}

function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares `Authorization: Bearer …` with the token, in a time that tells nothing of where they differ. */
export function createTokenCheck(token: string): (authorization: string | undefined) => boolean {
  const wanted = digest(token)
  return authorization => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    // Hashes have one length, whatever was sent.
    return timingSafeEqual(digest(given ?? ''), wanted) && given !== undefined
  }
}
