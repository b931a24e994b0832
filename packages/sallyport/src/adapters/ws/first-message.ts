/** What a developer writes where a `WebSocketServer` opens sockets by itself and the first message is to be proven. */
export const FIRST_MESSAGE =
  "handshake.ticket.carrier is 'first-message', and ws calls the app's 'connection' listener before the first message is proven. Write server.on('upgrade', guard.upgrade(new WebSocketServer({ noServer: true, ...guard.ws() }), '/path'))"

const CONFLICT = 'options must be specified'
let explains = false

/**
 * Options that make `ws` refuse a server or a port of its own at the start. Its error names the options alone, and nothing
 * of a library is called while `ws` reads them: where nobody catches the error, what to write is added before it is printed.
 */
export function deferredOptions(): { readonly noServer: true } {
  if (!explains) process.on('uncaughtExceptionMonitor', explain)
  explains = true
  return { noServer: true }
}

function explain(error: unknown): void {
  if (!(error instanceof TypeError) || !error.message.includes(CONFLICT) || !error.message.includes('"noServer"'))
    return
  const { message, stack = message } = error
  error.message = `${message}: ${FIRST_MESSAGE}`
  error.stack = stack.replace(message, () => error.message)
}
