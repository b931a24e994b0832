/** Calls somebody else's function so that neither what it throws nor a promise it rejects reaches the connection. */
export function quietly(call: () => unknown, failed: () => void): void {
  try {
    const result = call()
    if (result instanceof Promise) result.catch(failed)
  } catch {
    failed()
  }
}
