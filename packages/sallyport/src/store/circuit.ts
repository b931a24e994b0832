import { createDeadline, type Waiter } from './deadline.ts'
import type { Timer, Timers } from '../model/runtime.ts'
import { StoreError } from '../model/store-error.ts'
import type { StoreState } from '../model/store.ts'

/** Options of {@link createCircuit}. Times in ms. */
export interface CircuitOptions {
  /** What is behind it, for errors and events: `Redis`. */
  readonly name: string
  /** Whoever asked is answered within it: a call waits for four fifths of it, and the rest is for the answer's own way out. */
  readonly deadlineMs: number
  /** So many calls that fail in a row, while nobody is answered, open it. */
  readonly failures: number
  /** Calls under way at once; more are denied at once. */
  readonly maxPending: number
  /** The wait between two probes, and what it grows to. */
  readonly probeMs: number
  readonly probeMostMs: number
  /** Asks once whether all is well, and mends what must be mended before others may ask. Calls through `attempt`. */
  readonly probe: () => Promise<void>
  readonly onState: (state: StoreState) => void
  readonly timers: Timers
}

/** Calls to something that may be away. */
export interface Circuit {
  /** Whether calls go through. */
  readonly closed: boolean
  /** Makes a call; rejects at once where it is open, in the moment in which it opens, and within the deadline at the latest. */
  call<T>(make: () => Promise<T>): Promise<T>
  /** The same past an open circuit: for the probe. */
  attempt<T>(make: () => Promise<T>): Promise<T>
  /** Opens it: what is behind it is known to be away. Whoever waits for it is denied. */
  trip(detail: string): void
  /** Probes now instead of later. */
  retry(): void
  /** For good; no timer is left. */
  close(): void
}

/**
 * The part of a deadline that a call may wait. A timer is as late as the turn of the loop that it falls into, and the
 * sockets are read once more after it: the rest is for these two turns and for those who are answered first. Of 50 ms it
 * leaves 10, and 40 to a server that is 20 ms away.
 */
const WAIT_SHARE = 0.8
/**
 * Where so many calls wait that to read what asked for them and to answer them takes a turn of several ms each, and
 * nobody was answered, the server is taken to be silent earlier: of 50 ms that leaves 20 for these two turns.
 */
const CROWD = 50
const SILENCE_SHARE = 0.6

/** A call that waits; `fail` denies whoever asked. */
interface Call extends Waiter {
  fail(error: StoreError): void
}

/**
 * Deadlines of our own, since clients queue while they are disconnected, and a circuit, so that a crowd does not wait
 * for what is known to be away: neither those who come nor those who came before it was known. A call that is late while
 * no other was answered either denies all that wait in that moment, and they count as failures in a row; a crowd is
 * given up somewhat earlier. Open, it probes: less and less often, and one call at a time. The first probe goes out at
 * once where calls failed: a crowd, which anybody can make, must not make an outage of a pause.
 */
export function createCircuit(options: CircuitOptions): Circuit {
  const { name, deadlineMs, failures, maxPending, probeMs, probeMostMs, probe, onState, timers } = options
  const waitMs = Math.ceil(deadlineMs * WAIT_SHARE)
  const silenceMs = Math.ceil(deadlineMs * SILENCE_SHARE)
  const deadline = createDeadline(waitMs, silenceMs, timers)
  /** Calls under way, the oldest first; the probe's own are not among them. */
  const waiting = new Set<Call>()
  let closed = true
  let ended = false
  let failed = 0
  /** Calls that were answered, ever. */
  let answered = 0
  let wait = probeMs
  /** Whether it has been closed for a while: who opens it again and again would make three events of each pause. */
  let steady = true
  let probing = false
  let timer: Timer | undefined

  const unavailable = (why: string): StoreError => new StoreError('SALLY_STORE_UNAVAILABLE', `${name} ${why}`)

  const begin = <T>(make: () => Promise<T>, among: Set<Call> | null): Promise<T> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        call.done = true
        among?.delete(call)
      }
      const answeredBefore = answered
      // Nobody was answered in all this time: who came later waits for the same.
      const denySilent = (why: StoreError): void => {
        if (among !== null && answered === answeredBefore) for (const each of among) each.fail(why)
      }
      const call: Call = {
        done: false,
        late() {
          const late = unavailable(`did not answer within ${waitMs} ms`)
          call.fail(late)
          denySilent(late)
        },
        soonLate() {
          if (waiting.size >= CROWD) denySilent(unavailable(`answered nobody within ${silenceMs} ms`))
        },
        fail(error) {
          done()
          reject(error)
        },
      }
      const failWith = (error: unknown): void =>
        call.fail(error instanceof StoreError ? error : unavailable(`failed: ${kindOf(error)}`))
      try {
        make().then(value => {
          answered++
          done()
          resolve(value)
        }, failWith)
      } catch (error) {
        failWith(error)
      }
      if (call.done) return
      among?.add(call)
      deadline.add(call)
    })

  const runProbe = async (): Promise<void> => {
    if (probing || closed || ended) return
    probing = true
    timers.clearTimeout(timer)
    onState({ state: 'probing', detail: `one call to ${name} probes it` })
    try {
      await probe()
      // It may have been closed meanwhile.
      if (ended as boolean) return
      closed = true
      failed = 0
      wait = probeMs
      timer = timers.setTimeout(() => (steady = true), probeMostMs)
      timer.unref()
      onState({ state: 'available', detail: `${name} answers` })
    } catch (error) {
      if (ended as boolean) return
      onState({ state: 'unavailable', detail: error instanceof StoreError ? error.message : `${name} failed` })
      schedule()
    } finally {
      probing = false
    }
  }

  const schedule = (): void => {
    timer = timers.setTimeout(() => void runProbe(), wait)
    timer.unref()
    wait = Math.min(wait * 1.5, probeMostMs)
  }

  const open = (detail: string, asksAtOnce = false): void => {
    if (!closed || ended) return
    timers.clearTimeout(timer)
    closed = false
    wait = probeMs
    onState({ state: 'unavailable', detail })
    for (const call of waiting) call.fail(unavailable('is away'))
    if (asksAtOnce && steady) void runProbe()
    else schedule()
    steady = false
  }

  return {
    get closed() {
      return closed && !ended
    },
    attempt: make => begin(make, null),
    call(make) {
      if (ended) return Promise.reject(new StoreError('SALLY_STORE_CLOSED', 'the store was closed; create a new one'))
      if (!closed) return Promise.reject(unavailable('is away'))
      if (waiting.size >= maxPending) return Promise.reject(unavailable(`has ${waiting.size} calls to answer`))
      const answeredBefore = answered
      return begin(make, waiting).then(
        value => {
          failed = 0
          return value
        },
        (error: unknown) => {
          // While others are answered it is not away: a flood that is late in part must not deny everybody.
          if (answered === answeredBefore && ++failed >= failures)
            open(error instanceof Error ? error.message : `${name} failed`, true)
          throw error
        },
      )
    },
    trip: detail => open(detail),
    retry() {
      if (closed || ended) return
      wait = probeMs
      void runProbe()
    },
    close() {
      ended = true
      timers.clearTimeout(timer)
    },
  }
}

/** Redis's own word for what is wrong (`LOADING`, `READONLY`, `CLUSTERDOWN`) or the error's code; never its message: that may hold an address or a key. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^[A-Z][A-Z\d_]{1,40}$/.test(code)) return code
  const word = /^[A-Z]{3,20}(?= )/.exec(error.message)?.[0]
  return word ?? (/^\w{1,60}$/.test(error.name) ? error.name : 'Error')
}

/**
 * Over how many ms the ends of open connections are spread once a store was away for its grace: a tenth of it. A node
 * counts as gone in the cluster only after that.
 */
export function lostWithinMs(graceMs: number): number {
  return Math.ceil(graceMs / 10)
}
