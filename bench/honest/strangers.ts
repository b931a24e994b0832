import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { askForTicket, dial } from './people.ts'

/** What strangers tried, and what they got. */
export interface Spoils {
  readonly tried: number
  /** Connections that opened to a stranger. More than none is a fault. */
  readonly opened: number
}

/** Strangers at work. */
export interface Strangers {
  stop(): Promise<Spoils>
}

interface Tally {
  tried: number
  opened: number
  isOver: boolean
}

/** How strong the strangers are. */
export interface StrangerOptions {
  readonly port: number
  /** Ticket requests with made-up cookies a second. */
  readonly guesses: number
  /** The address that they come from: the office's own, or another one. */
  readonly address: string
  /** Where their ticket to replay comes from: an account of the site that is not in the office. */
  readonly mole: string | null
}

/**
 * All of them at once: ticket requests with made-up cookies, one real ticket presented a thousand times, handshakes with
 * neither cookie nor ticket, and a foreign page in an employee's browser that dials without pause.
 */
export function unleash(options: StrangerOptions): Strangers {
  const tally: Tally = { tried: 0, opened: 0, isOver: false }
  const work = [guess(options, tally), dialBare(options, tally), foreignPage(options, tally)]
  if (options.mole !== null) work.push(replay(options, options.mole, tally))
  return {
    async stop() {
      tally.isOver = true
      await Promise.all(work)
      return { tried: tally.tried, opened: tally.opened }
    },
  }
}

async function guess({ port, guesses, address }: StrangerOptions, tally: Tally): Promise<void> {
  const from = performance.now()
  if (guesses === 0) return
  for (let nth = 0; !tally.isOver; nth++) {
    const headers = { origin: `http://127.0.0.1:${port}`, cookie: `sid=guess-${nth}` }
    tally.tried++
    void askForTicket(port, headers, address).then(async ({ ticket }) => {
      if (ticket !== '') await present({ port, address }, headers, ticket, tally)
    })
    await wait(Math.max(1, from + (nth * 1000) / guesses - performance.now()))
  }
}

async function dialBare({ port, address }: StrangerOptions, tally: Tally): Promise<void> {
  while (!tally.isOver) {
    await present({ port, address }, { origin: `http://127.0.0.1:${port}` }, '', tally)
    await wait(20)
  }
}

/** The page of somebody else in the browser of an employee: the cookie is real, the Origin is not. */
async function foreignPage({ port, address }: StrangerOptions, tally: Tally): Promise<void> {
  const headers = { origin: 'https://evil.example', cookie: 'sid=user-0' }
  // A browser dials one handshake at a time to a host.
  while (!tally.isOver) await present({ port, address }, headers, '', tally)
}

/** Presents one ticket of a real account a thousand times, without the cookie of that account. */
async function replay({ port, address }: StrangerOptions, mole: string, tally: Tally): Promise<void> {
  const origin = `http://127.0.0.1:${port}`
  let ticket = ''
  while (!tally.isOver && ticket === '') {
    const asked = await askForTicket(port, { origin, cookie: `sid=${mole}` }, '127.0.0.66')
    ticket = asked.ticket
    if (ticket === '') await wait(200 + asked.retryAfterMs)
  }
  for (let nth = 0; nth < 1000 && !tally.isOver; nth++) {
    await present({ port, address }, { origin, cookie: `sid=guess-${nth}` }, ticket, tally)
    await wait(2)
  }
}

async function present(
  { port, address }: Pick<StrangerOptions, 'port' | 'address'>,
  headers: Record<string, string>,
  ticket: string,
  tally: Tally,
): Promise<void> {
  tally.tried++
  const { socket, status } = await dial(port, headers, ticket, address)
  // Nobody listens while the server restarts.
  if (status === 0) await wait(50)
  if (socket === null) return
  tally.opened++
  const closed = once(socket, 'close')
  socket.terminate()
  if (socket.readyState !== WebSocket.CLOSED) await closed
}
