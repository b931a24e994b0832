import { clean } from './redact.ts'

const FRAME = /^\s+at (.+)$/m

/**
 * What may be shown of an error: its class, its `code`, and the place that threw. Its message stays out: it may quote
 * what the peer sent (`Unexpected token … in …`), a connection string, or a path of a user.
 */
export function faultOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return `a thrown ${error === null ? 'null' : typeof error}`
    const kind = /^\w{1,60}$/.test(error.name) ? error.name : 'Error'
    const code: unknown = 'code' in error ? error.code : undefined
    const shownCode = typeof code === 'string' && /^[A-Z][A-Z\d_]{1,60}$/.test(code) ? ` ${code}` : ''
    return clean(`${kind}${shownCode}${placeOf(error)}`, 300)
  } catch {
    // An error with hostile getters.
    return 'an unreadable error'
  }
}

/** ` at chat (/app/chat.ts:3:7)`. The message stands before the frames and may hold lines that look like one. */
function placeOf(error: Error): string {
  const { stack, message } = error
  if (typeof stack !== 'string') return ''
  const start = message === '' ? 0 : stack.indexOf(message)
  if (start === -1) return ''
  const frame = FRAME.exec(stack.slice(start + message.length))?.[1]
  return frame === undefined ? '' : ` at ${frame}`
}

/** Calls somebody else's function so that neither what it throws nor a promise it rejects reaches the connection. */
export function quietly(call: () => unknown, failed: () => void): void {
  try {
    const result = call()
    if (result instanceof Promise) result.catch(failed)
  } catch {
    failed()
  }
}
