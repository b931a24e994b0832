import { afterEach } from 'node:test'
import { connect, type Connection, type ConnectOptions, type Lifecycle } from '../../src/client/index.ts'
import { type FakeSocket, fakeSockets, settle } from './fake-socket.ts'
import { startTicketServer, type TicketServer } from './ticket-server.ts'

/** What the app of these tests sends, and what it hears. */
export type Out = { readonly type: 'say'; readonly text: string } | { readonly type: 'leave' }
export type In = { readonly type: 'chat'; readonly text: string } | { readonly type: 'gone'; readonly who: string }

export const APP_URL = 'wss://app.company.com/ws'
const QUICK = { min: 1, max: 1 }
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** Has something closed after the test, the last one first. */
export function closeAfter(close: () => unknown): void {
  closing.push(close)
}

/** A server with a ticket endpoint, closed after the test. */
export async function serve(options: Parameters<typeof startTicketServer>[0] = {}): Promise<TicketServer> {
  const server = await startTicketServer(options)
  closeAfter(() => server.close())
  return server
}

/** A connection that tries again within a millisecond or two, closed after the test. */
export function open(url: string, options: ConnectOptions = {}): Connection<Out, In> {
  const connection = connect<Out, In>(url, { backoff: QUICK, ...options })
  closeAfter(() => connection.close())
  return connection
}

/** A connection without tickets whose far end is the test, once it has made its first socket. */
export async function openFake(
  options: ConnectOptions = {},
): Promise<{ readonly connection: Connection<Out, In>; readonly made: FakeSocket[] }> {
  const { WebSocket, made } = fakeSockets()
  const connection = open(APP_URL, { ticket: false, WebSocket, ...options })
  await settle()
  return { connection, made }
}

/** The next lifecycle event of a name. */
export function next<Name extends keyof Lifecycle>(
  connection: Connection<Out, In>,
  name: Name,
): Promise<Lifecycle[Name]> {
  return new Promise(resolve => {
    const off = connection.when(name, what => {
      off()
      resolve(what)
    })
  })
}

/** The next message. */
export function said(connection: Connection<Out, In>): Promise<In> {
  return new Promise(resolve => connection.onMessage(resolve))
}
