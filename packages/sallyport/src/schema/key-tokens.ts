const BACKSLASH = 0x5c
const COLON = 0x3a
const QUOTE = 0x22
/** Nearer than this, a loop finds a quote sooner than a call of indexOf. */
const NEAR = 16

/** What each backslash of a key counts beyond the key's own 1: both counts in one number. */
const BACKSLASH_WEIGHT = 2 ** 31

/** What a key adds to the count of keys, given its name once unescaped. */
export function keyWeight(name: string): number {
  return name.includes('\\') ? 1 + (name.split('\\').length - 1) * BACKSLASH_WEIGHT : 1
}

/**
 * Counts the keys that are written in a text that JSON.parse accepts, each with its `keyWeight`. The count of the
 * parsed tree is the same, unless a key was written twice or JSON.parse misread one: V8 13 and 14 can read an escaped
 * key as another, which then begins as the text of the escape does and so holds a backslash (nodejs/node#63785).
 * Jumps from quote to quote; linear in the length of the text.
 */
export function keyTokens(json: string): number {
  const escapes = json.includes('\\')
  let keys = 0
  for (let open = nextQuote(json, 0); open !== -1; ) {
    let close = nextQuote(json, open + 1)
    if (escapes) while (isEscaped(json, close)) close = nextQuote(json, close + 1)
    // In JSON a colon follows a string only where the string is a key.
    let after = close + 1
    while (isWhitespace(json.charCodeAt(after))) after++
    if (json.charCodeAt(after) === COLON) keys += escapes ? tokenWeight(json.slice(open, close + 1)) : 1
    open = nextQuote(json, after)
  }
  return keys
}

function nextQuote(json: string, from: number): number {
  const near = Math.min(from + NEAR, json.length)
  for (let at = from; at < near; at++) if (json.charCodeAt(at) === QUOTE) return at
  return json.indexOf('"', near)
}

function tokenWeight(token: string): number {
  return token.includes('\\') ? keyWeight(JSON.parse(token) as string) : 1
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(json: string, at: number): boolean {
  let start = at
  while (json.charCodeAt(start - 1) === BACKSLASH) start--
  return (at - start) % 2 === 1
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
