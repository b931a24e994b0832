import { types } from 'node:util'
import { isOf64Bits } from '../controls/message/message-text.ts'
import { kindOf, pathTo } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'
import type { BigIntegers } from '../model/schema-kinds.ts'

const ZERO = 0x30
/** Greatest depth that is searched. JSON.stringify itself throws for a cycle. */
const DEPTH_MOST = 64

/**
 * The JSON of a message of the app. Throws a `TypeError` for a value that has no JSON, and for a value that JSON writes
 * as `{}` although it has content: a Promise that was not awaited, a Map, a Set inside the message, an ArrayBuffer. It
 * is called for messages that the fast way for plain objects does not take.
 */
export function textOf(message: object, bigIntegers: BigIntegers = 'refuse'): string {
  let text: string | undefined
  try {
    text = bigIntegers === 'bigint' ? JSON.stringify(message, bigintWriter()) : JSON.stringify(message)
  } catch (error) {
    const path = bigintIn(message, bigIntegers)
    if (path === null) throw error
    const remedy =
      bigIntegers === 'bigint'
        ? 'which does not fit in 64 bits; write String(…) of it'
        : "which JSON has not; write String(…) of it, or set message.format.bigIntegers: 'bigint'"
    throw new TypeError(`connection.send: ${path} is a bigint, ${remedy}`, { cause: error })
  }
  // A view of bytes is written as an object of its indices: `{"0":…`.
  if (text === undefined || text === '{}' || text.charCodeAt(2) === ZERO) requireContent(message)
  if (text === undefined)
    throw new TypeError('connection.send: toJSON of the message answers nothing; answer an object')
  if (text.includes('{}')) requireWritable(message, '')
  return text
}

const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => object }

/** Many apps add a `toJSON` to BigInt's prototype. It would write another type, or a rounded number. */
const bigintWriter = (): typeof writeBigint => ('toJSON' in BigInt.prototype ? writeHeldBigint : writeBigint)

/** Writes the bigint of the field itself, not the result of its `toJSON`. */
function writeHeldBigint(this: unknown, key: string, value: unknown): unknown {
  const held: unknown = Reflect.getOwnPropertyDescriptor(this as object, key)?.value
  return writeBigint(key, typeof held === 'bigint' ? held : value)
}

/** Makes JSON.stringify write a bigint of 64 bits as an integer. For any other bigint it throws. */
function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' && isOf64Bits(value) && rawJSON !== undefined ? rawJSON(String(value)) : value
}

/** False for a message that `message/outbound` refused. Throws a `TypeError` if there was no message. */
export function unsent(message: unknown): false {
  if (message === null || message === undefined) requireContent(message)
  return false
}

/** Throws for a value that is not a message. An empty object is a message. */
function requireContent(message: unknown): void {
  const fault = (remedy: string): never => {
    throw new TypeError(`connection.send: the message is ${kindOf(message)}, which JSON cannot express; ${remedy}`)
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

/** Throws for a Map or a Set inside a message, because JSON writes them as `{}`. Runs no code of the message. */
function requireWritable(message: object, path: string, depth = 0): void {
  if (types.isProxy(message) || depth > DEPTH_MOST || 'toJSON' in message) return
  if (types.isMap(message) || types.isSet(message)) {
    const remedy = types.isMap(message) ? 'write Object.fromEntries(map)' : 'write [...set]'
    throw new TypeError(`connection.send: ${path} is ${kindOf(message)}, which JSON writes as {}; ${remedy}`)
  }
  for (const key of Object.keys(message)) {
    const held: unknown = Reflect.getOwnPropertyDescriptor(message, key)?.value
    if (typeof held === 'object' && held !== null) requireWritable(held, pathTo(path, key), depth + 1)
  }
}

/** Path of the first bigint in a message that cannot be written. Null if there is none. */
function bigintIn(message: unknown, bigIntegers: BigIntegers): string | null {
  const paths = new Map<object, string>()
  let found: string | null = null
  try {
    JSON.stringify(message, function (this: object, key: string, value: unknown) {
      const above = paths.get(this)
      const path = above === undefined ? '' : pathTo(above, key)
      if (typeof value === 'object' && value !== null) paths.set(value, path)
      if (typeof value !== 'bigint') return value
      if (bigIntegers === 'bigint' && isOf64Bits(value)) return null
      found ??= path === '' ? 'the message' : path
      return null
    })
  } catch {
    // A cycle, or an error of the app's code. The first error describes it.
  }
  return found
}
