const BACKSLASH = 0x5c
const COLON = 0x3a

/**
 * Counts the keys that are written in a text that JSON.parse accepts. More keys written than there are in the parsed
 * tree means that one was written twice. Jumps from quote to quote; linear in the length of the text.
 */
export function keyTokens(json: string): number {
  const escapes = json.includes('\\')
  let keys = 0
  for (let open = json.indexOf('"'); open !== -1; ) {
    let close = json.indexOf('"', open + 1)
    if (escapes) while (isEscaped(json, close)) close = json.indexOf('"', close + 1)
    // In JSON a colon follows a string only where the string is a key.
    let after = close + 1
    while (isWhitespace(json.charCodeAt(after))) after++
    if (json.charCodeAt(after) === COLON) keys++
    open = json.indexOf('"', after)
  }
  return keys
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
