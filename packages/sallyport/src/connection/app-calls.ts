import { isThenable } from '../model/thenable.ts'
import { FLAG } from './flags.ts'
import type { ConnectionState } from './state.ts'

/** Calls the app. An error that the app throws, now or later, is reported and goes no further. */
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

/** Reports an error that the app's own code threw. */
export function appFailed(connection: ConnectionState, thrown: unknown): void {
  connection.services.failed(thrown, connection)
  try {
    const result: unknown = connection.delivery.failed?.(thrown, connection)
    if (isThenable(result)) Promise.resolve(result).catch(() => undefined)
  } catch {
    // The app's error handler failed too. The event is emitted all the same.
  }
}

/** Tells the app that the connection ended. Does nothing if the app never learned of the opening. */
export function tellAppClosed(connection: ConnectionState, code: number): void {
  if ((connection.flags & FLAG.announced) === 0) return
  callApp(connection, () => connection.delivery.closed?.(connection, code))
}
