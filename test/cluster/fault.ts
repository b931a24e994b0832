import type { WebSocket } from 'ws'
import { setTimeout as wait } from 'node:timers/promises'
import { closed, type FleetNode, open, openWith, ticketFor } from './fleet.ts'

/** What a fault did to a cluster. Times in ms. */
export interface FaultReport {
  readonly fault: string
  /** Open sockets of honest users that ended, of how many. */
  readonly lost: string
  /** Handshakes that a used ticket won. */
  readonly ticketsTwice: number
  /** Tickets that were replayed or raced. */
  readonly ticketsTried: number
  /** Most sockets that a user with a cap of 10 had at once. */
  readonly mostOfUser: number
  /** From `guard.revoke` during the fault until the last socket of that user was gone; -1: it never was. */
  readonly revokedAliveMs: number
  /** Whether the call of `revoke` itself was answered. */
  readonly revokeAnswer: string
  /** From the end of the fault until every node served again. */
  readonly normalMs: number
  /** The instant at which the first honest client was let in after the fault began; Infinity: none was. */
  readonly firstAt: number
  /** Longest that a handshake was held while the fault lasted. */
  readonly heldMs: number
  /** How those were answered who came above the cap, until all was normal: status and code, how often. */
  readonly answers: Readonly<Record<string, number>>
  readonly note: string
}

/** What a scenario does, and how its report is called. */
export interface Fault {
  readonly name: string
  readonly nodes: readonly FleetNode[]
  /** Which nodes serve after it: the killed one does not. */
  readonly survivors: readonly FleetNode[]
  /** Breaks something. */
  readonly strike: () => Promise<void> | void
  /** How long it stays broken. */
  readonly lastMs: number
  /** Whether it is broken still, after that. */
  readonly lasts?: () => boolean
  /** Mends it. */
  readonly mend: () => Promise<void> | void
  /** The node that revokes meanwhile. */
  readonly revoker: FleetNode
  /** Longest wait for normal. */
  readonly patienceMs: number
  /** Sockets of this node are not counted as lost. */
  readonly gone?: FleetNode
  readonly note?: () => Promise<string> | string
}

const CAP = 10

/** Runs one fault against a fleet with open sockets, used tickets, a user at his cap and a user who is revoked. */
export async function runFault(fault: Fault): Promise<FaultReport> {
  const { nodes, survivors } = fault
  const id = `${fault.name.replaceAll(/\W+/g, '-')}-${Date.now()}`
  const at = (nth: number): FleetNode => nodes[nth % nodes.length]!
  await normal(nodes, `${id}-warm`, fault.patienceMs)

  const honest: { readonly node: FleetNode; readonly socket: WebSocket }[] = []
  for (let nth = 0; nth < 30; nth++) {
    const { socket } = await open(at(nth), `${id}-u${nth % 10}`, `${id}-s${nth}`)
    if (socket !== null) honest.push({ node: at(nth), socket })
  }
  let live = 0
  let mostOfUser = 0
  const capped: WebSocket[] = []
  const keep = (socket: WebSocket | null): void => {
    if (socket === null) return
    capped.push(socket)
    mostOfUser = Math.max(mostOfUser, ++live)
    socket.once('close', () => live--)
  }
  for (let nth = 0; nth < CAP; nth++) keep((await open(at(nth), `${id}-capped`, `${id}-c${nth}`)).socket)
  const doomed = (await Promise.all([0, 1, 2].map(nth => open(at(nth), `${id}-doomed`, `${id}-d${nth}`)))).flatMap(
    ({ socket }) => (socket === null ? [] : [socket]),
  )
  const used: { ticket: string; session: string }[] = []
  for (let nth = 0; nth < 12; nth++) {
    const session = `${id}-t${nth}`
    const ticket = (await ticketFor(at(nth), `${id}-t${nth % 6}`, session)) ?? ''
    const { socket } = await openWith(at(nth), `${id}-t${nth % 6}`, session, ticket)
    if (socket === null) continue
    used.push({ ticket, session })
    socket.terminate()
  }
  const unused: { ticket: string; session: string }[] = []
  for (let nth = 0; nth < 6; nth++) {
    const session = `${id}-f${nth}`
    unused.push({ session, ticket: (await ticketFor(at(nth), `${id}-f${nth}`, session)) ?? '' })
  }

  let ticketsTwice = 0
  let ticketsTried = 0
  const heldMs: number[] = []
  const replay = async (): Promise<void> => {
    const tried = used.map(async ({ ticket, session }, nth) => {
      const user = `${id}-t${nth % 6}`
      const answer = await openWith(survivors[(nth + 1) % survivors.length]!, user, session, ticket)
      heldMs.push(answer.ms)
      ticketsTried++
      if (answer.socket === null) return
      ticketsTwice++
      answer.socket.terminate()
    })
    await Promise.all(tried)
  }
  const answers: Record<string, number> = {}
  const crowd = async (): Promise<void> => {
    await Promise.all(
      survivors.map(async (node, nth) => {
        const answer = await open(node, `${id}-capped`, `${id}-more${nth}-${Math.random()}`)
        heldMs.push(answer.ms)
        const told = `${answer.status} ${answer.code}`.trim()
        answers[told] = (answers[told] ?? 0) + 1
        keep(answer.socket)
      }),
    )
  }
  let raceWonAt = Infinity
  /** A ticket made just now, if there is one, from as many sockets at once as there are nodes. */
  const race = async (): Promise<void> => {
    const user = `${id}-r${Math.random()}`
    const ticket = await ticketFor(survivors[ticketsTried % survivors.length]!, user, user)
    if (ticket === null) return
    const raced = await Promise.all(survivors.map(node => openWith(node, user, user, ticket)))
    ticketsTried++
    const won = raced.filter(({ socket }) => socket !== null)
    if (won.length > 0) raceWonAt = Math.min(raceWonAt, performance.now())
    ticketsTwice += Math.max(0, won.length - 1)
    for (const { socket } of won) socket?.terminate()
  }

  await fault.strike()
  const struck = performance.now()
  const revokedFrom = performance.now()
  const revokeAnswer = fault.revoker.order({ order: 'revoke', target: { user: `${id}-doomed` } }).then(
    () => 'done',
    (error: Error) => error.message,
  )
  const ends = Promise.all(doomed.map(socket => closed(socket)))
  const during = async (): Promise<void> => {
    do {
      await Promise.all([replay(), crowd(), race()])
      await wait(100)
    } while (performance.now() - struck < fault.lastMs || fault.lasts?.())
  }
  await during()
  const heldDuring = Math.max(...heldMs)
  await fault.mend()
  const mended = performance.now()
  // What attackers would do while it recovers.
  const recovery = new AbortController()
  const attack = (async () => {
    while (!recovery.signal.aborted) {
      await Promise.all([replay(), crowd(), race()])
      await wait(50)
    }
  })()
  const served = await normal(survivors, `${id}-normal`, fault.patienceMs)
  const normalAt = served.includes(-1) ? -1 : Math.max(...served)
  recovery.abort()
  await attack
  await crowd()
  await replay()
  for (const { ticket, session } of unused) {
    const user = session
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, nth) => openWith(survivors[nth % survivors.length]!, user, session, ticket)),
    )
    ticketsTried++
    const won = answers.filter(({ socket }) => socket !== null)
    ticketsTwice += Math.max(0, won.length - 1)
    for (const { socket } of won) socket?.terminate()
  }
  const last = await Promise.race([ends.then(times => Math.max(...times)), wait(15_000, -1)])
  const lost = honest.filter(({ node, socket }) => node !== fault.gone && socket.readyState !== 1).length
  const counted = honest.filter(({ node }) => node !== fault.gone).length
  const note = (await fault.note?.()) ?? ''
  for (const { socket } of honest) socket.terminate()
  for (const socket of capped) socket.terminate()
  return {
    fault: fault.name,
    lost: `${lost} of ${counted}`,
    ticketsTwice,
    ticketsTried,
    mostOfUser,
    revokedAliveMs: last < 0 ? -1 : Math.round(last - revokedFrom),
    revokeAnswer: await revokeAnswer,
    normalMs: normalAt < 0 ? -1 : Math.round(normalAt - mended),
    firstAt: Math.min(raceWonAt, ...served.filter(at => at >= 0)),
    heldMs: Math.round(heldDuring),
    answers,
    note,
  }
}

/** When each node has let an honest client in; -1 for one that does not in time. */
async function normal(nodes: readonly FleetNode[], user: string, patienceMs: number): Promise<readonly number[]> {
  const until = performance.now() + patienceMs
  const served = nodes.map(async (node, nth) => {
    for (;;) {
      const { socket } = await open(node, `${user}${nth}`, `${user}${nth}-${Math.random()}`)
      socket?.terminate()
      if (socket !== null) return performance.now()
      if (performance.now() > until) return -1
      await wait(25)
    }
  })
  return Promise.all(served)
}

/** The table that `npm run faults` prints. */
export function tableOf(reports: readonly FaultReport[]): string {
  const head = [
    'fault',
    'sockets lost',
    'tickets twice (tried)',
    'most of a cap of 10',
    'revoked alive, ms',
    'revoke() said',
    'held, ms',
    'to normal, ms',
    'note',
  ]
  const rows = reports.map(report => [
    report.fault,
    report.lost,
    `${report.ticketsTwice} (${report.ticketsTried})`,
    `${report.mostOfUser}`,
    report.revokedAliveMs < 0 ? 'never' : `${report.revokedAliveMs}`,
    report.revokeAnswer,
    `${report.heldMs}`,
    report.normalMs < 0 ? 'never' : `${report.normalMs}`,
    report.note,
  ])
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}
