/** The remedy for a `WebSocketServer` that opens sockets by itself in first-message mode. */
export const FIRST_MESSAGE =
  "handshake.ticket.carrier is 'first-message', and ws calls the app's 'connection' listener before the first message is proven. Write server.on('upgrade', guard.upgrade(new WebSocketServer({ noServer: true, ...guard.ws() }), '/path'))"

const CONFLICT = 'options must be specified'
let explains = false

/**
 * Options that make `ws` refuse a server or a port of its own at the start. The error of `ws` names only the options. If
 * nobody catches it, the remedy is added before Node prints it.
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
