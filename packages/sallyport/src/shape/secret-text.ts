/** A URL, or what was meant as one, with a user or a password: `redis://:pass@host`, `redis//:pass@host`, `user:pass@host`. */
function bearsCredentials(text: string): boolean {
  // `…@` stands for one that was cut out.
  const bare = text.replaceAll('…@', '')
  const at = bare.lastIndexOf('@')
  return at !== -1 && /[:/]/.test(bare.slice(0, at))
}

/** `password=…`, `X-Api-Key: …`, `"token": "…"`: a name of something secret, and a value behind it. */
const NAMED =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|ticket|(?:api|access|private|signing|secret|hash)[-_.]?key|(?<![a-z])key|credentials?|cookie|authorization|signature|(?<![a-z])(?:auth|sig|sid|jwt|session(?:id)?))["']?\s*[=:]\s*["']?(?!…)[^\s"'…]/i
/** A scheme of HTTP authentication, and what is behind it. */
const SCHEME = /(?:^|[\s:="'/])(?:bearer|basic|digest|negotiate)\s+\S/i
/** Keys and tokens that are known by how they begin. */
const BEGINNINGS =
  /-----BEGIN |(?<![A-Za-z\d])(?:eyJ[\w-]{4,}|gh[pousr]_|github_pat_|glpat-|npm_|xox[abeoprs]-|sk[-_](?:live|test|proj|ant)[-_]?|AKIA[A-Z\d]|AIza|whsec_|sallyport\.ticket\.)/
/** A session or key as many systems write one; the id of a browser's extension is public. */
const UUID = /(?<![\da-f]|extension:\/\/)[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}(?![\da-f])/i
/** Words so long, of digits and letters, are keys: hex, base64, base64url. Names are of shorter parts, or have no digit. */
const LONG_WORD = 24
const LONG_PART = 16

/** Beyond this much nothing is looked at: a text so long is hidden. */
const MOST_CHARS = 4096

/** Whether a text may hold a password, a token or a key, by how it is written. */
export function bearsSecret(text: string): boolean {
  if (text.length > MOST_CHARS) return true
  if (bearsCredentials(text)) return true
  return [NAMED, SCHEME, BEGINNINGS, UUID].some(pattern => pattern.test(text)) || holdsKey(text)
}

/** What an error shows of a secret: that it is text, and its length. */
export function hidden(text: string): string {
  return `(hidden, ${Buffer.byteLength(text, 'utf8')} bytes)`
}

function holdsKey(text: string): boolean {
  return text.split(/[\s"',;:()?&#]+\/*/).some(word => {
    if (word.length < LONG_WORD || !/^[\w+/=-]+$/.test(word)) return false
    if (!/\d/.test(word) || !/[A-Za-z]/.test(word)) return false
    return word.split(/[-_/]/).some(part => part.length >= LONG_PART)
  })
}
