/**
 * Makes it an error to spread the function itself. `{ server, ...guard.ws }`, without the call, copies no option, and the
 * server would run without a guard.
 */
export function refuseSpread<F extends (...args: never[]) => unknown>(method: F, what: string): F {
  return refuseAsOptions(method, `${what} must be called: write new WebSocketServer({ server, ...${what}() })`)
}

/** The same for `{ server, ...guard }`, and for any other object that is no options. Copying it throws `message`. */
export function refuseAsOptions<T extends object>(source: T, message: string): T {
  return Object.defineProperty(source, 'verifyClient', {
    enumerable: true,
    get(): never {
      throw new TypeError(message)
    },
  })
}
