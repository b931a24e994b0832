import { request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'sallyport/client'
import { WebSocket } from 'ws'

/** One page, or one native client, of an office. */
export interface Person {
  readonly isIn: boolean
  leave(): void
}

/** What a person calls when the connection opens and when it ends. */
export interface Watcher {
  opened(): void
  ended(): void
}

/** A page of a browser: the real client, with the Origin and the cookie that a browser would send. */
export function openPage(port: number, sid: string | null, watcher: Watcher): Person {
  const origin = `http://127.0.0.1:${port}`
  const headers: Record<string, string> = sid === null ? { origin } : { origin, cookie: `sid=${sid}` }
  const Page = class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers, perMessageDeflate: false })
    }
  }
  const connection = connect(`ws://127.0.0.1:${port}/ws`, {
    WebSocket: Page as unknown as NonNullable<NonNullable<Parameters<typeof connect>[1]>['WebSocket']>,
    // Whoever has no session needs no ticket.
    ticket: sid === null ? false : `${origin}/.sallyport/ticket`,
    fetch: (url, init) => fetch(url, { ...init, headers }),
    dangerouslyCrossOrigin: true,
  })
  let isIn = false
  connection.when('state', state => {
    if (isIn === (state === 'open')) return
    isIn = state === 'open'
    if (isIn) watcher.opened()
    else watcher.ended()
  })
  return {
    get isIn() {
      return isIn
    },
    leave: () => connection.close(),
  }
}

/** The answer to a POST for a ticket. */
export interface TicketAnswer {
  readonly status: number
  readonly ticket: string
  readonly retryAfterMs: number
}

/** Asks for a ticket; status 0 where nothing answered. */
export function askForTicket(
  port: number,
  headers: Record<string, string>,
  localAddress = '127.0.0.1',
): Promise<TicketAnswer> {
  return new Promise(resolve => {
    const nothing = { status: 0, ticket: '', retryAfterMs: 0 }
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/.sallyport/ticket?path=/ws',
        agent: false,
        headers,
        localAddress,
      },
      response => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('error', () => resolve(nothing))
        response.on('end', () => {
          const ticket = (/"ticket":"([\w-]+)"/.exec(body) ?? [])[1] ?? ''
          resolve({
            status: response.statusCode ?? 0,
            ticket,
            retryAfterMs: 1000 * Number(response.headers['retry-after'] ?? 0),
          })
        })
      },
    )
    asked.setTimeout(15_000, () => asked.destroy())
    asked.on('error', () => resolve(nothing))
    asked.end()
  })
}

/** One handshake over `ws`: the open socket, or the status it was refused with (0: no answer). */
export function dial(
  port: number,
  headers: Record<string, string>,
  ticket: string,
  localAddress = '127.0.0.1',
): Promise<{ readonly socket: WebSocket | null; readonly status: number; readonly retryAfterMs: number }> {
  return new Promise(resolve => {
    const protocols = ticket === '' ? ['sallyport.v1'] : ['sallyport.v1', `sallyport.ticket.${ticket}`]
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, protocols, {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: 15_000,
      localAddress,
    })
    socket.on('error', () => resolve({ socket: null, status: 0, retryAfterMs: 0 }))
    socket.once('open', () => resolve({ socket, status: 101, retryAfterMs: 0 }))
    socket.once('unexpected-response', (_request, response) => {
      response.resume()
      resolve({
        socket: null,
        status: response.statusCode ?? 0,
        retryAfterMs: 1000 * Number(response.headers['retry-after'] ?? 0),
      })
      socket.terminate()
    })
  })
}

/** A client that knows nothing but HTTP: a ticket, a handshake, and on a refusal the wait that the server asked for. */
export function openRawClient(port: number, sid: string, watcher: Watcher): Person {
  const headers = { origin: `http://127.0.0.1:${port}`, cookie: `sid=${sid}` }
  let socket: WebSocket | null = null
  const stay = { isOver: false }
  const live = async (): Promise<void> => {
    for (let failures = 0; !stay.isOver; ) {
      const asked = await askForTicket(port, headers)
      const answer = asked.status === 200 ? await dial(port, headers, asked.ticket) : { ...asked, socket: null }
      if (answer.socket !== null) {
        failures = 0
        socket = answer.socket
        const ended = new Promise(resolve => answer.socket?.once('close', resolve))
        watcher.opened()
        if (stay.isOver) answer.socket.terminate()
        await ended
        socket = null
        watcher.ended()
      }
      failures++
      await wait(answer.retryAfterMs + Math.random() * 500 * Math.min(8, 2 ** failures))
    }
  }
  void live()
  return {
    get isIn() {
      return socket !== null
    },
    leave() {
      stay.isOver = true
      socket?.terminate()
    },
  }
}
