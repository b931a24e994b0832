/**
 * An independent strict reading of JSON (RFC 8259), character by character, for property tests: what is in the text,
 * without JSON.parse. Throws where the text is not JSON.
 */
export interface Scan {
  /** An object holds two keys that are equal once unescaped. */
  readonly duplicate: boolean
  /** Every key, unescaped. */
  readonly keys: readonly string[]
  readonly depth: number
  readonly width: number
}

export function scan(text: string): Scan {
  let at = 0
  let duplicate = false
  let deepest = 0
  let widest = 0
  const keys: string[] = []
  const fail = (): never => {
    throw new SyntaxError(`at ${at}`)
  }
  const space = (): void => {
    while (/[ \t\n\r]/.test(text[at] ?? '')) at++
  }
  const expect = (token: string): void => {
    if (!text.startsWith(token, at)) fail()
    at += token.length
  }
  const string = (): string => {
    expect('"')
    let value = ''
    for (;;) {
      const char = text[at++] ?? fail()
      if (char === '"') return value
      if (char < ' ') fail()
      if (char !== '\\') {
        value += char
        continue
      }
      const escape = text[at++] ?? fail()
      if (escape === 'u') {
        const hex = text.slice(at, at + 4)
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) fail()
        value += String.fromCharCode(Number.parseInt(hex, 16))
        at += 4
      } else value += { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[escape] ?? fail()
    }
  }
  const list = (close: string, depth: number, item: () => void): void => {
    deepest = Math.max(deepest, depth)
    at++
    space()
    let count = 0
    if (text[at] !== close) {
      for (;;) {
        item()
        widest = Math.max(widest, ++count)
        if (text[at] === close) break
        expect(',')
        space()
      }
    }
    at++
  }
  const value = (depth: number): void => {
    space()
    if (text[at] === '{') {
      const own = new Set<string>()
      list('}', depth, () => {
        const key = string()
        if (own.has(key)) duplicate = true
        own.add(key)
        keys.push(key)
        space()
        expect(':')
        value(depth + 1)
      })
    } else if (text[at] === '[') list(']', depth, () => value(depth + 1))
    else if (text[at] === '"') string()
    else {
      const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/.exec(text.slice(at))
      at += scalar === null ? fail() : scalar[0].length
    }
    space()
  }
  value(1)
  if (at !== text.length) fail()
  return { duplicate, keys, depth: deepest, width: widest }
}
