import type { MessageSubject } from 'sallyport/embed'
import type { BackendSocket } from '../upstream/backend-socket.ts'

/**
 * Sends what the message door let through: the value that was checked, written anew, or the client's bytes where they
 * are known to be the very same. No others go on: where two parsers would read them differently, the second one never
 * sees them. Text that is no object (`text` and `any` formats, or what report mode lets pass) goes as the checked text.
 */
export function forward(subject: MessageSubject, backend: BackendSocket): void {
  if (subject.exact === true) {
    const { lent, start = 0, end = 0 } = subject
    if (lent) backend.sendUtf8(lent, start, end)
    else backend.sendText(subject.text ?? '')
    return
  }
  const { value, text } = subject
  if (typeof value === 'object' && value !== null && text !== null) backend.sendText(JSON.stringify(value))
  else if (text !== null) backend.sendText(text)
  else if (value instanceof Uint8Array) backend.sendBinary(value)
}
