import { kindOf, pathTo } from '../policy/shown.ts'
import { isThenable } from '../policy/thenable.ts'

const ZERO = 0x30

/**
 * The JSON of a message of the app. Throws a `TypeError` for what has none, and for what JSON writes as `{}` although
 * there is more in it: a Promise that was not awaited, a Map, an ArrayBuffer. Asked where the short way of plain objects ends.
 */
export function textOf(message: object): string {
  let text: string | undefined
  try {
    text = JSON.stringify(message)
  } catch (error) {
    const path = bigintIn(message)
    if (path === null) throw error
    throw new TypeError(`connection.send: ${path} is a bigint, which JSON has not; write String(…) of it`, {
      cause: error,
    })
  }
  // A view of bytes is written as an object of its indices: `{"0":…`.
  if (text === undefined || text === '{}' || text.charCodeAt(2) === ZERO) requireContent(message)
  if (text === undefined)
    throw new TypeError('connection.send: toJSON of the message answers nothing; answer an object')
  return text
}

/** False for what `message/outbound` kept; throws a `TypeError` where there was no message. */
export function unsent(message: unknown): false {
  if (message === null || message === undefined) requireContent(message)
  return false
}

/** Throws for what is no message; an object of nothing is one. */
function requireContent(message: unknown): void {
  const fault = (remedy: string): never => {
    throw new TypeError(`connection.send: the message is ${kindOf(message)}, which JSON cannot bear; ${remedy}`)
  }
  if (typeof message !== 'object' || message === null) fault('give an object, text or a Uint8Array')
  if (isThenable(message)) fault('await it first')
  if (message instanceof ArrayBuffer || ArrayBuffer.isView(message)) fault('give a Uint8Array: new Uint8Array(buffer)')
  if (message instanceof Map) fault('write Object.fromEntries(map)')
  if (message instanceof Set) fault('write { type, items: [...set] }')
  if (message instanceof Error) fault('say what the peer may know: { type, code }')
  if (message instanceof Blob || message instanceof Request || message instanceof Response)
    fault('await its bytes or its text, and give those')
}

/** Where the first bigint of a message stands; null where there is none. */
function bigintIn(message: unknown): string | null {
  const paths = new Map<object, string>()
  let found: string | null = null
  try {
    JSON.stringify(message, function (this: object, key: string, value: unknown) {
      const above = paths.get(this)
      const path = above === undefined ? '' : pathTo(above, key)
      if (typeof value === 'object' && value !== null) paths.set(value, path)
      if (typeof value !== 'bigint') return value
      found ??= path === '' ? 'the message' : path
      return null
    })
  } catch {
    // A cycle, or code of the app: what was thrown first tells of it.
  }
  return found
}
