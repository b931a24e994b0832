import type { ControlContext } from '../../src/controls/context.ts'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import type { MessageConnection, MessageSubject } from '../../src/controls/message/message-control.ts'
import type { Policy } from '../../src/policy/types.ts'
import type { Verdict } from '../../src/model/verdict.ts'
import type { Budget, Store, Taken } from '../../src/model/store.ts'
import { runtimeAt } from '../support/runtime.ts'

export const perMinute = (amount: number): Budget => ({ amount, perMs: 60_000, burst: amount })

/** A policy of which the message door reads all it needs; generous, so that each test narrows one thing. */
export function policyWith(message: Partial<Policy['message']> = {}, rest: Partial<Policy> = {}): Policy {
  const whole: Partial<Policy> = {
    report: new Set(),
    timeoutMs: 1000,
    ...rest,
    message: {
      size: { bytes: 65_536, fragments: 64, unauthenticatedBytes: 4096, controlFrames: perMinute(20) },
      rate: {
        messages: perMinute(100),
        bytes: perMinute(1_000_000),
        perUser: perMinute(1000),
        perIp: perMinute(1000),
        cost: {},
        exceed: 'close',
      },
      format: { data: 'json', depth: 32, width: 1000, allowKeys: [], bigIntegers: 'refuse' },
      schema: null,
      discriminator: 'type',
      strikes: 5,
      authorize: null,
      replay: null,
      concurrency: { handlers: 16, background: 1000, countListeners: false },
      outbound: null,
      heartbeat: [],
      ...message,
    },
  }
  return whole as Policy
}

export type TakeCall = { readonly key: string; readonly cost: number; readonly budget: Budget }

/** The clock of the parts made last: what a connection's messages are judged at. */
let running = { now: 1_000_000 }

/** ControlContext with a clock that stands and a store that answers as told; every `take` is noted. */
export function partsWith(answer: (call: TakeCall) => Taken | Promise<Taken> = () => ({ ok: true, retryAfterMs: 0 })) {
  const calls: TakeCall[] = []
  const clock = { now: 1_000_000 }
  running = clock
  const store = {
    take(key: string, cost: number, budget: Budget) {
      calls.push({ key, cost, budget })
      return answer({ key, cost, budget })
    },
  }
  const runtime = runtimeAt(() => clock.now)
  const parts = { store: store as Partial<Store> as Store, now: runtime.now, runtime } as ControlContext
  return { parts, calls, clock }
}

export function connectionOf(user = 'ada', ip = '192.0.2.1'): MessageConnection {
  return {
    id: 'c1',
    session: { id: 's1', user },
    request: { ip } as HandshakeRequest,
    get judgedAt() {
      return running.now
    },
    messageTat: 0,
    byteTat: 0,
    budgetKeys: null,
    controlFrameTat: 0,
  }
}

export function textOf(text: string, bytes: number = Buffer.byteLength(text)): MessageSubject {
  return { bytes, text, data: null, value: undefined, type: null }
}

export function binaryOf(data: Uint8Array): MessageSubject {
  return { bytes: data.length, text: null, data, value: undefined, type: null }
}

/** A subject as it stands after `message/format`. */
export function parsed(value: unknown): MessageSubject {
  const subject = textOf(JSON.stringify(value))
  subject.value = value
  return subject
}

export const codeOf = (verdict: Verdict): string => (verdict.pass ? 'PASS' : verdict.code)

/** The verdict of a check that must answer at once. */
export function atOnce(verdict: Verdict | Promise<Verdict>): Verdict {
  if (verdict instanceof Promise) throw new Error('a synchronous verdict was expected')
  return verdict
}
