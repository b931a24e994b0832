/**
 * What a client does after a close: reconnect with back-off, reconnect slower, rest until there is something to say,
 * let the user sign in, stop permanently, or stop because the client itself is at fault.
 */
export type CloseAction = 'reconnect' | 'slow' | 'rest' | 'signin' | 'stop' | 'error'

const ACTIONS: { readonly [code: number]: CloseAction } = {
  1000: 'stop',
  1002: 'error',
  1003: 'error',
  1007: 'error',
  1008: 'stop',
  1009: 'error',
  1010: 'error',
  1013: 'slow',
  4401: 'signin',
  4403: 'stop',
  4408: 'rest',
  4429: 'slow',
}

/**
 * The action for a close code and its reason, which is a denial code or empty. Codes that are not in the table (1001, 1006,
 * 1011, 1012, 4409, and whatever a proxy may send) reconnect with a new ticket. `signin` stands for all that the session ended
 * for: a client with a ticket endpoint asks it first.
 */
export function actionOf(code: number, reason: string): CloseAction {
  if (code === 1008 && reason === 'SALLY_MESSAGE_RATE') return 'slow'
  // Whether there is a session, the next attempt shows: it may have been renewed over HTTP.
  if (code === 4401 && /^SALLY_(AUTHENTICATION_|LIFETIME_(EXPIRED|INVALID)$)/.test(reason)) return 'reconnect'
  return ACTIONS[code] ?? 'reconnect'
}
