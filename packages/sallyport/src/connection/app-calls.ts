import { isThenable } from '../model/thenable.ts'
import { FLAG } from './flags.ts'
import type { ConnectionState } from './state.ts'

/** Calls the app. What it throws, now or later, is reported and goes no further. */
export function callApp(connection: ConnectionState, work: () => unknown, failed?: () => void): void {
  const fail = (error: unknown): void => {
    appFailed(connection, error)
    failed?.()
  }
  try {
    const result = work()
    if (isThenable(result)) Promise.resolve(result).catch(fail)
  } catch (error) {
    fail(error)
  }
}

/** Reports what the app's own code threw. */
export function appFailed(connection: ConnectionState, thrown: unknown): void {
  connection.services.failed(thrown, connection)
  try {
    const result: unknown = connection.delivery.failed?.(thrown, connection)
    if (isThenable(result)) Promise.resolve(result).catch(() => undefined)
  } catch {
    // The app failed again in its own error handler; the event stands.
  }
}

/** Tells the app that the connection ended, where it knows the connection. */
export function tellAppClosed(connection: ConnectionState, code: number): void {
  if ((connection.flags & FLAG.announced) === 0) return
  callApp(connection, () => connection.delivery.closed?.(connection, code))
}
