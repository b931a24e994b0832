const LONGEST = 60

/** Control, format and line-separating characters: they could forge a line of a log or turn a terminal around. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** A value as an error shows it: strings quoted, escaped and cut, objects by their kind alone. Not for secrets. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    const cut = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value
    return `'${cut.replaceAll(INVISIBLE, character => `\\u{${character.codePointAt(0)!.toString(16)}}`)}'`
  }
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
