/**
 * Makes spreading the function itself an error: `{ server, ...guard.ws }`, without the call, copies no option at all, and
 * the server would stand there unguarded and silent.
 */
export function refuseSpread<F extends (...args: never[]) => unknown>(method: F, what: string): F {
  return Object.defineProperty(method, 'verifyClient', {
    enumerable: true,
    get(): never {
      throw new TypeError(`${what} must be called: write new WebSocketServer({ server, ...${what}() })`)
    },
  })
}
