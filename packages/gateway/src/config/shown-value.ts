import { quote } from 'sallyport/internal'

/** A value as an error shows it: strings quoted, escaped and cut, objects by their kind alone. What may be secret is hidden. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  return typeof value === 'number' ? String(value) : kindOf(value)
}

/** What sort of value it is, without its content. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return 'text'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
