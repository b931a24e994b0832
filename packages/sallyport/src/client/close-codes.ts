/**
 * What a client does after a close: reconnect with back-off, reconnect slower, rest until there is something to say,
 * let the user sign in, stop for good, or stop because the client itself is at fault.
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
 * 1011, 1012, 4409, and whatever a proxy may send) reconnect with a new ticket.
 */
export function actionOf(code: number, reason: string): CloseAction {
  if (code === 1008 && reason === 'SALLY_MESSAGE_RATE') return 'slow'
  // The ticket came too late or was used up on the way: whether the session holds, the ticket endpoint tells.
  if (code === 4401 && reason.startsWith('SALLY_AUTHENTICATION_')) return 'reconnect'
  return ACTIONS[code] ?? 'reconnect'
}
