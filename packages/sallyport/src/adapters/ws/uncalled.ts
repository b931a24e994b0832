/**
 * Makes spreading the function itself an error: `{ server, ...guard.ws }`, without the call, copies no option at all, and
 * the server would stand there unguarded and silent.
 */
export function refuseSpread<F extends (...args: never[]) => unknown>(method: F, what: string): F {
  return refuseAsOptions(method, `${what} must be called: write new WebSocketServer({ server, ...${what}() })`)
}

/** The same for `{ server, ...guard }`, or for anything else that has none of ws's options: whoever copies it hears `message`. */
export function refuseAsOptions<T extends object>(source: T, message: string): T {
  return Object.defineProperty(source, 'verifyClient', {
    enumerable: true,
    get(): never {
      throw new TypeError(message)
    },
  })
}
