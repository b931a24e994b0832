import { alteredText, type MessageSubject } from 'sallyport/embed'
import type { BackendSocket } from '../upstream/backend-socket.ts'

/**
 * Sends what the message door let through: the client's own bytes. Only where fields were stripped it sends the checked
 * value as JSON, with every number in the client's own digits.
 */
export function forward(subject: MessageSubject, backend: BackendSocket): void {
  const { lent, start = 0, end = 0, text, data } = subject
  if (subject.altered === true) backend.sendText(alteredText(subject, true))
  else if (lent) backend.sendUtf8(lent, start, end)
  else if (text !== null) backend.sendText(text)
  else if (data !== null) backend.sendBinary(data)
}
