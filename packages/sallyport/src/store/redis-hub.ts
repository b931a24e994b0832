import type { RedisNames } from './redis-names.ts'
import { type Ask, BEAT, DEAD, LEAVE, PROBE } from './redis-scripts.ts'
import { lostWithinMs } from './circuit.ts'
import type { Clock, Timer, Timers } from '../model/runtime.ts'
import { StoreError } from '../model/store-error.ts'

/** Options of {@link createRedisHub}. Times in ms. */
export interface RedisHubOptions {
  readonly names: RedisNames
  readonly node: string
  readonly buckets: number
  readonly cluster: boolean
  readonly graceMs: number
  readonly heartbeatMs: number
  readonly settleMs: number
  readonly ask: Ask
  readonly runtime: Pick<Clock, 'now'> & Timers
  /** Redis answered a heartbeat, and stands at this epoch of revocations. */
  readonly beat: (epoch: number) => Promise<void>
  /** A server may have lost writes: they must be written again. Called once for each bucket of it. */
  readonly lost: () => void
  /** The server of the heartbeats itself may have. */
  readonly hubLost: () => void
  /** Heartbeats fail. */
  readonly away: (detail: string) => void
  /** Redis was away for longer than connections may live without it. */
  readonly over: () => void
  /** After each heartbeat that was answered. */
  readonly tick: () => void
}

/** What this node knows of the cluster: who lives, and whether a server lost what it knew. */
export interface RedisHub {
  /** As this node counts its places: another one after it was taken for dead. */
  readonly name: string
  readonly registered: boolean
  /** Redis's clock less ours, in ms. */
  readonly offset: number
  readonly nodes: ReadonlySet<string>
  beat(): Promise<void>
  /** A heartbeat now, unless there was one just now. */
  soon(): void
  /** Looks at the line of every bucket. */
  look(): Promise<void>
  lineOf(bucket: number): string
  sawLine(bucket: number, line: string): void
  /** Throws while a loss is being made good. */
  assertSettled(bucket: number): void
  deadAmong(names: readonly string[]): Promise<readonly string[]>
  start(): void
  /** Leaves: its places are nobody's. */
  close(): Promise<void>
}

/** Heartbeats asked for in a hurry come no closer than this. */
const SOON_MS = 200
/** A close frame and its answer: connections are gone this long after they were told to end. */
const CLOSING_MS = 5000
/** The clocks are taken to stand as they stood while they are no further apart than this. */
const OFFSET_MS = 20
/** One late answer is nothing yet. */
const FAILED_BEATS = 2
/** How many heartbeats apart every bucket of a cluster is looked at. */
const LOOK_EVERY = 2

/** One heartbeat a node stands for all of its places: what it holds lapses with it. */
export function createRedisHub(options: RedisHubOptions): RedisHub {
  const { names, node, buckets, cluster, graceMs, heartbeatMs, settleMs, ask, runtime } = options
  const { now } = runtime
  // Its connections have ended before anybody counts them as gone.
  const nodeTtlMs = graceMs + lostWithinMs(graceMs) + CLOSING_MS + 2 * heartbeatMs
  const keys = [names.hub('nodes'), names.hub('epoch'), names.hub('line')]
  const lines = new Map<number, string>()
  const settled = new Map<number, number>()
  let life = 0
  let name = `${node}.0`
  let registered = false
  let offset = 0
  let nodes: ReadonlySet<string> = new Set([name])
  let hubLine: string | null = null
  let lastAnswer = 0
  let isOver = false
  let lastSoon = 0
  let beats = 0
  let failedBeats = 0
  let timer: Timer | undefined
  let soonTimer: Timer | undefined
  let beating: Promise<void> | null = null
  let closed = false

  const pulse = async (): Promise<void> => {
    const sent = now()
    const args = [name, nodeTtlMs, registered ? 0 : 1]
    const reply = (await ask(BEAT, keys, args)) as [number, number, string, number, ...string[]]
    const [alive, time, line, epoch, ...alives] = reply
    // Kept as it is while it holds, so that a time that is told twice is the same twice.
    const measured = Math.round(time - (sent + now()) / 2)
    if (Math.abs(measured - offset) > OFFSET_MS) offset = measured
    const isLoss = hubLine !== null && hubLine !== line
    hubLine = line
    if (isLoss) {
      options.hubLost()
      // One server: what happened to the hub happened to all.
      if (!cluster) await look()
    }
    if (alive !== 1) {
      registered = false
      if (!isLoss) {
        // Taken for dead: the others may have dropped what it held.
        name = `${node}.${++life}`
        options.lost()
      }
      return pulse()
    }
    registered = true
    lastAnswer = sent
    isOver = false
    nodes = new Set([...alives, name])
    await options.beat(epoch)
  }

  const beat = (): Promise<void> => {
    beating ??= pulse().finally(() => {
      beating = null
    })
    return beating
  }

  const look = async (): Promise<void> => {
    const every = Array.from({ length: buckets }, (_, bucket) => bucket)
    const failures: unknown[] = []
    await Promise.all(
      every.map(async bucket => {
        try {
          sawLine(bucket, String(await ask(PROBE, [names.inBucket(bucket, 'line')], [])))
        } catch (error) {
          failures.push(error)
        }
      }),
    )
    // A cluster of which one server is away still serves the rest.
    if (failures.length === buckets) throw failures[0] as Error
  }

  const sawLine = (bucket: number, line: string): void => {
    const known = lines.get(bucket)
    if (known === line) return
    lines.set(bucket, line)
    if (known === undefined) return
    settled.set(bucket, now() + settleMs)
    options.lost()
  }

  const tick = async (): Promise<void> => {
    if (lastAnswer !== 0 && !isOver && now() - lastAnswer > graceMs) {
      isOver = true
      options.over()
    }
    try {
      await beat()
      failedBeats = 0
      if (cluster && beats++ % LOOK_EVERY === 0) await look()
      if (!closed) options.tick()
    } catch (error) {
      if (!closed && ++failedBeats >= FAILED_BEATS)
        options.away(error instanceof Error ? error.message : 'a heartbeat failed')
    }
  }

  const soon = (): void => {
    if (closed || soonTimer !== undefined) return
    soonTimer = runtime.setTimeout(
      () => {
        soonTimer = undefined
        lastSoon = now()
        void tick()
      },
      Math.max(0, lastSoon + SOON_MS - now()),
    )
    soonTimer.unref()
  }

  return {
    get name() {
      return name
    },
    get registered() {
      return registered
    },
    get offset() {
      return offset
    },
    get nodes() {
      return nodes
    },
    beat,
    soon,
    look,
    lineOf: bucket => lines.get(bucket) ?? '',
    sawLine,
    assertSettled(bucket) {
      const until = settled.get(bucket)
      if (until === undefined) return
      if (until <= now()) {
        settled.delete(bucket)
        return
      }
      throw new StoreError('SALLY_STORE_SETTLING', 'Redis lost what it knew; the nodes are telling it again')
    },
    async deadAmong(others) {
      const unknown = others.filter(other => !nodes.has(other))
      if (unknown.length === 0) return []
      return (await ask(DEAD, [keys[0]!, keys[2]!], [nodeTtlMs, ...unknown])) as string[]
    },
    start() {
      timer = runtime.setInterval(() => void tick(), heartbeatMs)
      timer.unref()
    },
    async close() {
      closed = true
      runtime.clearInterval(timer)
      runtime.clearTimeout(soonTimer)
      await beating?.catch(() => undefined)
      if (registered) await ask(LEAVE, [keys[0]!], [name])
    },
  }
}
