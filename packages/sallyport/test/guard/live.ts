import type { TestContext } from 'node:test'
import { createCore, type Core } from '../../src/guard/core.ts'
import type { KernelQueue } from '../../src/model/kernel-queue.ts'
import type { Delivery } from '../../src/connection/services.ts'
import type { LiveConnection } from '../../src/connection/live-connection.ts'
import { AHEAD_BYTES } from '../../src/connection/read-ahead.ts'
import { createObserver } from '../../src/guard/observer.ts'
import type { Transport } from '../../src/connection/transport.ts'
import type { SallyEvent } from '../../src/model/event.ts'
import type { Attempt } from '../../src/model/attempt.ts'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Session } from '../../src/model/session.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

/** A socket that notes what it is told and does nothing by itself. */
export class FakeTransport implements Transport {
  bufferedAmount = 0
  midFrame = false
  bytesRead = 0
  paused = false
  pauses = 0
  pings = 0
  messageBytes = 0
  terminated = false
  kernelQueue?: () => KernelQueue | null
  readonly sent: (string | Uint8Array)[] = []
  readonly closes: [code: number, reason: string][] = []

  sendText(text: string): void {
    if (this.closes.length === 0 && !this.terminated) this.sent.push(text)
  }
  sendBinary(bytes: Uint8Array): void {
    if (this.closes.length === 0 && !this.terminated) this.sent.push(bytes)
  }
  ping(): void {
    this.pings++
  }
  pause(): void {
    this.paused = true
    this.pauses++
  }
  resume(): void {
    this.paused = false
  }
  close(code: number, reason: string): void {
    if (!this.terminated) this.closes.push([code, reason])
  }
  terminate(): void {
    this.terminated = true
  }
  limit(maxMessageBytes: number): void {
    this.messageBytes = maxMessageBytes
  }
}

export interface Seat {
  readonly connection: LiveConnection
  readonly wire: FakeTransport
  /** As one read of a transport: without regard to a pause. */
  read(...messages: (object | string)[]): void
  /** Reads what fills the bound of reading ahead of a held connection, so that its socket is paused. */
  fill(): void
}

/** How a connection came in. */
export interface SeatOptions {
  delivery?: Partial<Delivery>
  session?: Session
  ticket?: Attempt['ticket']
  id?: string
  subprotocol?: string | null
}

export interface Guarded {
  readonly core: Core
  readonly events: SallyEvent[]
  /** Denials as `code` or, in report mode, `code?`. */
  denials(): string[]
  seat(options?: SeatOptions): Seat
  /** Lets the clock run, tick by tick of the wheel; what is promised settles at each. */
  run(ms: number): Promise<void>
}

export const START = 1_700_000_000_000

export const REQUEST = {
  method: 'GET',
  ip: '192.0.2.1',
  path: '/ws',
  secure: true,
  header: () => undefined,
  lines: () => [],
  cookie: () => undefined,
  rawHeaders: [],
} as unknown as HandshakeRequest

type Parts = { readonly handshake?: object; readonly message?: object; readonly lifetime?: object } & Record<
  string,
  unknown
>

/** A guard on a clock of the test's own; rates are generous, so that each test narrows one thing. */
export function guarded(t: TestContext, { handshake, message, lifetime, ...rest }: Parts = {}): Guarded {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'], now: START })
  const policy = parsePolicy({
    handshake: {
      origin: { allow: ['https://app.company.com'] },
      session: () => null,
      ticket: { dangerouslyWithoutTicket: true },
      ...handshake,
    },
    message: {
      schema: { dangerouslyAcceptAnyMessage: true },
      rate: { messages: 1_000_000, per: '1 minute', bytes: '1 GB' },
      ...message,
    },
    lifetime: { session: { dangerouslyOff: true }, ...lifetime },
    ...rest,
  })
  const observer = createObserver(policy, systemRuntime)
  const core = createCore(policy, systemRuntime, observer)
  const events: SallyEvent[] = []
  observer.events.on(event => events.push(event))
  let seats = 0
  return {
    core,
    events,
    denials: () =>
      events.filter(({ kind }) => kind === 'denial').map(({ code, enforced }) => `${code}${enforced ? '' : '?'}`),
    seat({
      delivery = {},
      session = { id: 's1', user: 'ann' },
      ticket = 'none',
      subprotocol = null,
      id = `c${++seats}`,
    } = {}) {
      const attempt: Attempt & { session: Session } = {
        id,
        request: REQUEST,
        standing: 'proven',
        credential: null,
        origin: 'https://app.company.com',
        session,
        subprotocol,
        ticket,
        leases: [],
        ended: false,
      }
      const wire = new FakeTransport()
      const connection = core.open({ pass: true, attempt }, wire, { message: () => undefined, ...delivery })
      connection.begin()
      return {
        connection,
        wire,
        fill: () => connection.text('{}', AHEAD_BYTES),
        read(...messages) {
          for (const each of messages) {
            const text = typeof each === 'string' ? each : JSON.stringify(each)
            connection.text(text, Buffer.byteLength(text))
          }
        },
      }
    },
    async run(ms) {
      for (let passed = 0; passed < ms; ) {
        const step = Math.min(100, ms - passed)
        t.mock.timers.tick(step)
        passed += step
        await settled()
      }
    },
  }
}

/** What was promised, and what follows from it, has happened. */
export function settled(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}
