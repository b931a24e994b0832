import { createHash } from 'node:crypto'
import type { LiveConnection } from '../../src/connection/live-connection.ts'
import type { Transport } from '../../src/connection/transport.ts'
import { createCore, type Core } from '../../src/guard/core.ts'
import { createObserver } from '../../src/guard/observer.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { createMemoryStore, type MemoryStore } from '../../src/store/memory.ts'
import { createVirtualRuntime, type VirtualRuntime } from '../support/virtual-runtime.ts'

const ORIGIN = 'https://app.example'
const MINUTE = 60_000
/** One way through the network, in ms. */
const HOP = 20

/** What one run of a town left behind. */
export interface History {
  /** A hash over every event, in order. */
  readonly trace: string
  readonly events: number
  readonly delivered: number
  /** How often each denial code was enforced. */
  readonly denials: Readonly<Record<string, number>>
  /** Connections that were open at once, at most and at the end. */
  readonly mostOpen: number
  readonly leftOpen: number
  readonly storeSize: ReturnType<MemoryStore['size']>
}

/** The socket of one person: answers pings and closes after a hop, unless the peer is silent. */
class Peer implements Transport {
  readonly bufferedAmount = 0
  inlet: LiveConnection | null = null
  readonly #runtime: VirtualRuntime
  readonly #isSilent: boolean
  readonly #left: () => void
  #isOver = false

  constructor(runtime: VirtualRuntime, isSilent: boolean, left: () => void) {
    this.#runtime = runtime
    this.#isSilent = isSilent
    this.#left = left
  }
  sendText(): void {}
  sendBinary(): void {}
  pause(): void {}
  resume(): void {}
  limit(): void {}
  ping(): void {
    if (!this.#isSilent) this.#runtime.setTimeout(() => this.#isOver || this.inlet?.ponged(), 2 * HOP)
  }
  close(code: number): void {
    if (!this.#isSilent) this.#runtime.setTimeout(() => this.end(code), 2 * HOP)
  }
  terminate(): void {
    this.#runtime.setImmediate(() => this.end(1006))
  }
  end(code: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.inlet?.closed(code)
    this.#left()
  }
  send(text: string): void {
    if (!this.#isOver) this.inlet?.text(text, Buffer.byteLength(text))
  }
}

/** Honest users and attackers use a guard of the shipped modules, on one virtual clock. */
export async function runTown(seed: number, ms: number): Promise<History> {
  const runtime = createVirtualRuntime(seed)
  const store = createMemoryStore({}, runtime)
  const policy = parsePolicy({
    name: 'town',
    handshake: {
      origin: { allow: [ORIGIN] },
      host: { allow: ['app.example'] },
      transport: { dangerouslyAllowPlaintext: true },
      session: Object.assign((request: { cookie(name: string): string | undefined }) => lookUp(runtime, request), {
        ambient: true,
        reads: [{ cookie: 'sid' }],
      }),
      ticket: { secret: 'a secret of the town, 32 bytes or more' },
      connections: { perUser: 2 },
    },
    message: {
      schema: { chat: { type: 'object', properties: { type: { const: 'chat' } }, required: ['type'] } },
      rate: { messages: 20, per: '10 seconds' },
    },
    lifetime: { age: { max: '30 minutes' } },
    events: { hashKey: 'a key of the town, 32 bytes or more' },
    store,
  })
  const observer = createObserver(policy, runtime)
  const core = createCore(policy, runtime, observer)
  const hash = createHash('sha256')
  const denials: Record<string, number> = {}
  let events = 0
  observer.events.on(event => {
    events++
    hash.update(`${JSON.stringify(event)}\n`)
    if (event.kind === 'denial' && event.enforced) denials[event.code!] = (denials[event.code!] ?? 0) + 1
  })
  const town = createPeople(core, runtime)
  town.moveIn()
  await runtime.run(ms)
  const history = { trace: hash.digest('hex'), events, denials, ...town.counts(), storeSize: store.size() }
  store.close()
  return history
}

/** Finds a session as a database would, some ms later. Sessions of users whose number ends in 7 last for ten minutes. */
async function lookUp(runtime: VirtualRuntime, request: { cookie(name: string): string | undefined }) {
  const sid = request.cookie('sid')
  await new Promise<void>(resolve => void runtime.setTimeout(resolve, 5 + runtime.random() * 20))
  if (sid === undefined) return null
  const since = Math.floor(runtime.now() / (10 * MINUTE)) * 10 * MINUTE
  return { id: sid, user: `user ${sid}`, ...(sid.endsWith('7') && { expiresAt: since + 10 * MINUTE }) }
}

function createPeople(core: Core, runtime: VirtualRuntime) {
  const { tickets } = core.context
  let open = 0
  let mostOpen = 0
  let delivered = 0

  const ticketOf = (sid: string): string =>
    tickets.issue({ session: { id: sid, user: `user ${sid}` }, origin: ORIGIN, path: '/ws' }).ticket

  const requestOf = (sid: string | null, ticket: string, origin: string): Request =>
    new Request('http://app.example/ws', {
      headers: {
        host: 'app.example',
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': `sallyport.v1, sallyport.ticket.${ticket}`,
        origin,
        ...(sid !== null && { cookie: `sid=${sid}` }),
      },
    })

  interface Visit {
    readonly sid: string | null
    readonly ip: string
    readonly ticket: string
    readonly origin?: string
    readonly isSilent?: boolean
    readonly opened?: (peer: Peer) => void
    readonly left?: () => void
  }
  const visit = async ({ sid, ip, ticket, origin = ORIGIN, isSilent = false, opened, left }: Visit): Promise<void> => {
    const admittance = await core.admit(core.fromWeb(requestOf(sid, ticket, origin), ip))
    if (!admittance.pass) {
      left?.()
      return
    }
    mostOpen = Math.max(mostOpen, ++open)
    const peer = new Peer(runtime, isSilent, () => {
      open--
      left?.()
    })
    peer.inlet = core.open(admittance, peer, { message: () => void delivered++ })
    peer.inlet.begin()
    opened?.(peer)
  }
  const later = (mean: number, call: () => unknown): void =>
    void runtime.setTimeout(() => void call(), mean * (0.5 + runtime.random()))

  /** Talks for some minutes, leaves, and comes again a minute later; also after a refusal. */
  const honest = (sid: string, ip: string): void => {
    const come = (): Promise<void> => {
      let isHere = true
      const talk = (peer: Peer): void => {
        if (!isHere) return
        peer.send('{"type":"chat"}')
        later(15_000, () => talk(peer))
      }
      return visit({
        sid,
        ip,
        ticket: ticketOf(sid),
        opened(peer) {
          talk(peer)
          later(20 * MINUTE, () => peer.end(1001))
        },
        left() {
          isHere = false
          later(MINUTE, come)
        },
      })
    }
    later(MINUTE, come)
  }
  const again = (mean: number, call: () => unknown): void =>
    later(mean, () => {
      call()
      again(mean, call)
    })

  return {
    moveIn(): void {
      for (let nth = 0; nth < 20; nth++) honest(`s${nth}`, `192.0.2.${nth % 5}`)
      again(5 * MINUTE, () => {
        const ticket = ticketOf('thief')
        void visit({ sid: 'thief', ip: '198.51.100.1', ticket })
        void visit({ sid: 'thief', ip: '198.51.100.6', ticket })
      })
      again(MINUTE, () =>
        visit({ sid: 's1', ip: '198.51.100.2', ticket: ticketOf('s1'), origin: 'https://evil.example' }),
      )
      again(MINUTE, () => visit({ sid: null, ip: '198.51.100.3', ticket: ticketOf('nobody') }))
      again(4 * MINUTE, () => visit({ sid: 'silent', ip: '198.51.100.4', ticket: ticketOf('silent'), isSilent: true }))
      again(3 * MINUTE, () =>
        visit({
          sid: 'flood',
          ip: '198.51.100.5',
          ticket: ticketOf('flood'),
          opened(peer) {
            for (let nth = 0; nth < 200; nth++) peer.send('{"type":"chat"}')
          },
        }),
      )
    },
    counts: () => ({ delivered, mostOpen, leftOpen: open }),
  }
}
