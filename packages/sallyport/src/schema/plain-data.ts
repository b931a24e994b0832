import { types } from 'node:util'

/**
 * What JSON.stringify does with a value: `plain`, it writes the value as it is and runs no code of it; `dates`, the same
 * beside real dates, which it writes as text; `code`, it runs a getter, a `toJSON` or a proxy, or it writes something else
 * than what stands there (`undefined`, NaN, a hole, a Map).
 */
export type DataKind = 'plain' | 'dates' | 'code'

/** Objects and arrays in one another. A deeper value, or a cycle, counts as code. */
const DEPTH_MOST = 1000
const { toISOString } = Date.prototype
const dateToJSON = Object.getOwnPropertyDescriptor(Date.prototype, 'toJSON')?.value as unknown

/** Looks at a value without running any code of it. */
export function dataKindOf(value: unknown): DataKind {
  // With it a property's descriptor does not tell data from an accessor.
  if ('value' in Object.prototype) return 'code'
  return kindAt(value, 0)
}

function kindAt(value: unknown, depth: number): DataKind {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return 'plain'
    case 'number':
      return Number.isFinite(value) ? 'plain' : 'code'
    case 'bigint':
      return 'toJSON' in BigInt.prototype ? 'code' : 'plain'
    case 'object':
      return value === null ? 'plain' : objectKind(value, depth)
    default:
      return 'code'
  }
}

function objectKind(value: object, depth: number): DataKind {
  if (depth >= DEPTH_MOST || types.isProxy(value)) return 'code'
  if (types.isDate(value)) return isRealDate(value) ? 'dates' : 'code'
  const isList = Array.isArray(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (isList ? prototype !== Array.prototype : prototype !== Object.prototype && prototype !== null) return 'code'
  if ('toJSON' in value || types.isBoxedPrimitive(value) || isRaw(value)) return 'code'
  const keys = Object.keys(value)
  // A hole is written as null.
  if (isList && (keys.length !== value.length || !isLast(keys.at(-1), value.length))) return 'code'
  let kind: DataKind = 'plain'
  for (const key of keys) {
    const property = Reflect.getOwnPropertyDescriptor(value, key)
    if (property === undefined || !('value' in property)) return 'code'
    const inner = kindAt(property.value, depth + 1)
    if (inner === 'code') return 'code'
    if (inner === 'dates') kind = 'dates'
  }
  return kind
}

/** Whether as many keys as a list has elements are its indices: among keys, indices come first. */
function isLast(key: string | undefined, length: number): boolean {
  return key === undefined || key === String(length - 1)
}

/** Raw JSON (`JSON.rawJSON`) is an object without a prototype that is written as the text in it. */
function isRaw(value: object): boolean {
  const { isRawJSON } = JSON as { readonly isRawJSON?: (value: unknown) => boolean }
  return isRawJSON?.(value) === true
}

function isRealDate(date: Date): boolean {
  return (
    Object.getPrototypeOf(date) === Date.prototype &&
    Object.keys(date).length === 0 &&
    !Object.hasOwn(date, 'toJSON') &&
    !Object.hasOwn(date, 'toISOString') &&
    !Object.hasOwn(date, Symbol.toPrimitive) &&
    !Object.hasOwn(date, 'valueOf') &&
    Date.prototype.toJSON === dateToJSON &&
    Date.prototype.toISOString === toISOString &&
    !Number.isNaN(Date.prototype.getTime.call(date))
  )
}
