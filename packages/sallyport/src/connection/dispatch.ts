import { createConcurrency } from '../controls/message/concurrency.ts'
import type { MessageSubject } from '../controls/message/message-control.ts'
import { isThenable } from '../model/thenable.ts'
import { deny } from '../model/verdict.ts'
import { kindOf } from '../shape/shown.ts'
import { appFailed, callApp } from './app-calls.ts'
import { end, reportOnce } from './ending.ts'
import { FLAG, HOLD } from './flags.ts'
import { replyError } from './outbound.ts'
import type { ConnectionState } from './state.ts'

const CONCURRENCY = 'message/concurrency'

/** Tells the app that the connection is open and authenticated. */
export function tellAppOpen(connection: ConnectionState): void {
  connection.flags |= FLAG.announced
  // If `open` throws, the app has set up only half of the connection. It must not run in that state.
  callApp(
    connection,
    () => connection.delivery.open?.(connection),
    () => end(connection, { kind: 'closed', closeCode: 1011, reason: '' }),
  )
}

/**
 * Gives an accepted message to the app. `hasRoom` is called when a handler ends while the greatest allowed number ran.
 */
export function dispatch(
  connection: ConnectionState,
  subject: MessageSubject,
  hasRoom: (connection: ConnectionState) => void,
): void {
  let running: PromiseLike<unknown> | null
  try {
    const result = connection.delivery.message(subject, connection)
    running = isThenable(result) ? result : null
  } catch (error) {
    handlerFailed(connection, error)
    return
  }
  if (running !== null) awaitHandler(connection, running, hasRoom)
}

/** A separate function, so that a message whose handler ends at once needs no closure. */
function awaitHandler(
  connection: ConnectionState,
  running: PromiseLike<unknown>,
  hasRoom: (connection: ConnectionState) => void,
): void {
  if (connection.delivery.counts === false) {
    void Promise.resolve(running).catch((error: unknown) => handlerFailed(connection, error))
    return
  }
  const handlers = (connection.ownRare().concurrency ??= createConcurrency(connection.services.handlers))
  if (handlers.enter()) holdFull(connection, handlers.running)
  const done = (): void => {
    if (handlers.leave()) hasRoom(connection)
  }
  void Promise.resolve(running).then(done, (error: unknown) => {
    handlerFailed(connection, error)
    done()
  })
}

/** The greatest allowed number of handlers runs: holds further messages back. */
function holdFull(connection: ConnectionState, running: number): void {
  const { services } = connection
  if (connection.readyState >= 2) {
    // The peer has closed. The bound on running handlers still holds for its last messages.
    if (services.enforced(CONCURRENCY)) connection.flags |= HOLD.full
    return
  }
  if ((connection.flags & HOLD.full) !== 0) return
  const denial = deny('SALLY_MESSAGE_CONCURRENCY', { reason: 'handlers', running })
  if (!services.enforced(CONCURRENCY)) {
    reportOnce(connection, CONCURRENCY, denial)
    return
  }
  connection.flags |= HOLD.full
  services.denied(CONCURRENCY, denial, true, connection)
}

/** See `Connection.background`. */
export function background(connection: ConnectionState, task: () => unknown): boolean {
  if (typeof task !== 'function') {
    throw new TypeError(`background takes a function, not ${kindOf(task)}: write background(() => stream(connection))`)
  }
  if (connection.readyState !== 1) return false
  const { services } = connection
  const rare = connection.ownRare()
  if (rare.tasks >= services.policy.message.concurrency.background) {
    const denial = deny('SALLY_MESSAGE_CONCURRENCY', { reason: 'background', running: rare.tasks })
    if (services.enforced(CONCURRENCY)) {
      services.denied(CONCURRENCY, denial, true, connection)
      return false
    }
    reportOnce(connection, CONCURRENCY, denial)
  }
  rare.tasks++
  void runTask(connection, task)
  return true
}

async function runTask(connection: ConnectionState, task: () => unknown): Promise<void> {
  try {
    await task()
  } catch (error) {
    handlerFailed(connection, error)
  } finally {
    connection.ownRare().tasks--
  }
}

function handlerFailed(connection: ConnectionState, error: unknown): void {
  appFailed(connection, error)
  const { services } = connection
  if (services.policy.message.format?.data === 'binary' || !services.enforced(CONCURRENCY)) return
  replyError(connection, 'SALLY_HANDLER_FAILED')
}
