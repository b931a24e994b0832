import type { Socket } from 'node:net'
import type { Guard } from 'sallyport'
import { type Admission, embed, type Reception, refuseSocket } from 'sallyport/embed'
import type { Runtime } from 'sallyport/internal'
import type { WireLimits } from 'sallyport/wire'
import type { RouteConfig } from '../model/config.ts'
import { BackendSocket } from '../upstream/backend-socket.ts'
import { type Failure, failure } from '../upstream/failure.ts'
import type { Pool, PooledConnection } from '../upstream/pool.ts'
import { answerSubprotocol, createBackendRequest } from './backend-request.ts'
import { createBoundedWarnings } from '../upstream/bounded-warnings.ts'
import { gatewayAnswer } from '../http/gateway-answer.ts'
import type { GatewayLog } from '../model/gateway.ts'
import { createHeartbeat } from './heartbeat.ts'
import { Pair, type PairHub } from './pair.ts'

/** A route that runs: handshakes come in, pairs are kept. */
export interface Route extends Reception {
  readonly config: RouteConfig
  readonly guard: Guard
  readonly hosts: readonly string[]
  readonly path: string
  readonly pairs: ReadonlySet<Pair>
  /** New connections go to this upstream from now on. */
  usePool(pool: Pool): void
  /** Puts the open connections of an older form of the route under this policy; those that it would refuse are closed. */
  takeOver(old: Route): void
  /** Gives its open connections to another form of the route. */
  surrender(): readonly Pair[]
  /** Ends what runs beside the connections. */
  stop(): void
}

/** Compiles a route. */
export function createRoute(config: RouteConfig, guard: Guard, first: Pool, log: GatewayLog, runtime: Runtime): Route {
  let pool = first
  const doors = embed(guard)
  const { relay } = config
  const prefix = config.path.endsWith('/*') ? config.path.slice(0, -2) : config.path
  const requestOf = createBackendRequest(guard, relay, prefix)
  const limits: WireLimits = {
    frameBytes: relay.messageBytes,
    messageBytes: relay.messageBytes,
    // Bytes bound what a backend can hold here; how it cuts them is its own affair.
    fragments: Infinity,
  }
  const pairs = new Set<Pair>()
  const waiting = new Map<Pair, Admission>()
  const warnings = createBoundedWarnings(log, runtime)
  const heartbeat = relay.heartbeatMs === null ? null : createHeartbeat(pairs, relay.heartbeatMs, runtime)

  /** Never rejects: what cannot be asked for is a failure of ours. */
  const connect = async (admission: Admission, signal: AbortSignal): Promise<PooledConnection | Failure> => {
    try {
      const connected = await pool.connect(await requestOf(admission), signal)
      if (!connected.ok && !signal.aborted) {
        const { code, detail, answered } = connected
        const facts = { route: config.id, upstream: pool.name, connection: admission.attempt.id, code, detail }
        const told = answered === null ? facts : { ...facts, status: answered }
        warnings.warn(`${code} ${answered}`, told, 'no backend took the connection')
      }
      return connected
    } catch (error) {
      const detail = error instanceof Error ? error.name : 'threw'
      log.error({ route: config.id, connection: admission.attempt.id, detail }, 'the backend could not be asked')
      return failure('GATEWAY_UPSTREAM_NONE', detail)
    }
  }

  const attach = (pair: Pair, connected: PooledConnection): void => {
    const backend = new BackendSocket(connected, limits, pair)
    pair.attachBackend(backend, connected.backend.address.label)
    backend.start(connected.head)
  }

  const hub: PairHub = {
    bufferBytes: relay.bufferBytes,
    stallMs: relay.stallMs,
    checksOutbound: guard.policy.message.outbound !== null,
    authenticated(pair) {
      const admission = waiting.get(pair)
      const connection = pair.client?.connection
      if (admission === undefined || connection === undefined) return
      waiting.delete(pair)
      pairs.add(pair)
      void connect(admission, connection.signal).then(connected => {
        if (!connected.ok) pair.lost(connected.detail)
        else if (connection.readyState >= 2) giveBack(connected)
        else attach(pair, connected)
      })
    },
    ended(pair, detail) {
      pairs.delete(pair)
      if (detail === null) return
      const connection = pair.client?.connection.id
      log.warn({ route: config.id, target: pair.target, connection, detail }, 'a pair was broken off')
    },
  }

  /** The backend first, so that its refusal can still be the client's. */
  const connectThenAccept = async (admission: Admission, socket: Socket, head: Buffer): Promise<void> => {
    const left = new AbortController()
    const onLeave = (): void => left.abort()
    const onEarly = (): void => {
      // RFC 6455 §4.1: a client waits for the answer. What came with the request itself the door has judged.
      refuseSocket(socket, gatewayAnswer(400, 'SALLY_REQUEST_MALFORMED'))
      left.abort()
    }
    // It is read meanwhile: a client that leaves must not leave a connection to the backend behind.
    socket.on('close', onLeave)
    socket.on('end', onLeave)
    socket.on('data', onEarly)
    socket.resume()
    const connected = await connect(admission, left.signal)
    socket.pause()
    socket.off('close', onLeave)
    socket.off('end', onLeave)
    socket.off('data', onEarly)
    if (left.signal.aborted || socket.destroyed || !connected.ok) {
      doors.abandon(admission)
      if (connected.ok) giveBack(connected)
      else if (!left.signal.aborted)
        refuseSocket(socket, gatewayAnswer(connected.status, connected.code, connected.headers))
      if (left.signal.aborted) socket.destroySoon()
      return
    }
    const pair = new Pair(hub)
    const backend = new BackendSocket(connected, limits, pair)
    pair.attachBackend(backend, connected.backend.address.label)
    const subprotocol = answerSubprotocol(admission.attempt.request, connected.subprotocol)
    pairs.add(pair)
    pair.attachClient(doors.accept(admission, { socket, head, delivery: pair, subprotocol }), socket)
    if (pair.settle()) backend.start(connected.head)
    else pairs.delete(pair)
  }

  /** The client must prove itself before a backend sees it. */
  const acceptThenConnect = (admission: Admission, socket: Socket, head: Buffer): void => {
    const pair = new Pair(hub)
    waiting.set(pair, admission)
    socket.once('close', () => waiting.delete(pair))
    const { subprotocol } = admission.attempt
    pair.attachClient(doors.accept(admission, { socket, head, delivery: pair, subprotocol }), socket)
  }

  const { upgrade, read } = doors.receive((admission, socket, head) => {
    if (admission.attempt.ticket === 'deferred') {
      acceptThenConnect(admission, socket, head)
      return
    }
    connectThenAccept(admission, socket, head).catch((error: unknown) => {
      const detail = error instanceof Error ? error.name : 'threw'
      log.error({ route: config.id, connection: admission.attempt.id, detail }, 'a connection could not be opened')
      doors.abandon(admission)
      socket.destroy()
    })
  })

  return {
    config,
    guard,
    hosts: config.hosts,
    path: config.path,
    pairs,
    upgrade,
    read,
    usePool(next) {
      pool = next
    },
    takeOver(old) {
      // Whoever was confirmed longest ago is asked for first: reloads that come fast must not leave always the same ones over.
      const all = old.surrender().toSorted((a, b) => confirmedAt(a) - confirmedAt(b))
      for (const pair of all) {
        if (pair.client === null) continue
        pair.moveTo(hub)
        pairs.add(pair)
        doors.adopt(pair.client)
      }
      // A client that has not proved itself yet, or is entering under the old policy, connects again.
      void old.guard.drain({ withinMs: 0 })
    },
    surrender() {
      const all = [...pairs]
      pairs.clear()
      return all
    },
    stop() {
      heartbeat?.stop()
      warnings.stop()
    },
  }
}

function confirmedAt({ client }: Pair): number {
  return client?.confirmedAt ?? 0
}

/** Of a connection that nobody took. */
function giveBack({ socket, backend }: PooledConnection): void {
  socket.destroy()
  backend.open--
}
