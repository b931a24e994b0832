/** An object or array that JSON.parse made, and the key or index of a number in it. */
export type Holder = Record<string, unknown> | unknown[]

/** Called with each number literal of a text. Answers null to go on, or what the scan ends with. */
export type VisitNumber<Found> = (token: string, holder: Holder, key: string | number) => Found | null

/** What a scan ended with, and where: a JSON Pointer. */
export interface NumberFound<Found> {
  readonly path: string
  readonly found: Found
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const NINE = 0x39
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * Finds texts whose numbers need a look: 16 digits or more, an exponent, a minus before zero, zeros at the end of a
 * fraction, or a fraction that JavaScript writes with an exponent. What it does not match holds numbers that
 * `JSON.stringify` writes with the same digits. It may match within a string.
 */
export const UNUSUAL_NUMBER: RegExp = /\d(?:[.\d]{15}|[eE][-+\d])|-0(?![.\d])|\.\d*0(?!\d)|0\.0{6}/

/** Finds texts whose numbers a double may not hold: 16 digits or more, or an exponent. It may match within a string. */
export const RISKY_NUMBER: RegExp = /\d(?:[.\d]{15}|[eE][-+\d])/

/**
 * Visits every number literal of `text`, which JSON.parse accepts, beside `root`, the object it made of it. Recursion goes as deep as the text. Linear in the length of the text.
 */
export function scanNumbers<Found>(text: string, root: object, visit: VisitNumber<Found>): NumberFound<Found> | null {
  return new Scan(text, visit).run(root as Holder)
}

class Scan<Found> {
  readonly #text: string
  readonly #visit: VisitNumber<Found>
  #at = 0
  #found: Found | null = null
  readonly #path: (string | number)[] = []

  constructor(text: string, visit: VisitNumber<Found>) {
    this.#text = text
    this.#visit = visit
  }

  run(root: Holder): NumberFound<Found> | null {
    this.#skipTo(OPEN_OBJECT)
    if (this.#object(root as Record<string, unknown>) || this.#found === null) return null
    const path = this.#path.toReversed().map(part => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    return { path: path.join(''), found: this.#found }
  }

  /** Goes to the next character that is no space and no comma. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09 && code !== 0x2c) return code
      this.#at++
    }
  }

  #skipTo(code: number): void {
    while (this.#text.charCodeAt(this.#at) !== code) this.#at++
    this.#at++
  }

  /** False where the visit ended it. */
  #object(holder: Record<string, unknown>): boolean {
    while (this.#next() !== CLOSE_OBJECT) {
      const start = this.#at
      this.#skipString()
      const token = this.#text.slice(start, this.#at)
      const key = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
      this.#skipTo(COLON)
      if (!this.#value(holder, key)) return false
    }
    this.#at++
    return true
  }

  #array(holder: unknown[]): boolean {
    for (let index = 0; this.#next() !== CLOSE_ARRAY; index++) if (!this.#value(holder, index)) return false
    this.#at++
    return true
  }

  #value(holder: Holder, key: string | number): boolean {
    const code = this.#next()
    if (code === QUOTE) {
      this.#skipString()
      return true
    }
    let goesOn = true
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      this.#at++
      const held = (holder as Record<string | number, unknown>)[key]
      // Of a key that is written twice JSON.parse keeps the last.
      const child = (typeof held === 'object' && held !== null ? held : {}) as Holder
      goesOn = code === OPEN_OBJECT ? this.#object(child as Record<string, unknown>) : this.#array(child as unknown[])
    } else if (code === MINUS || code <= NINE) goesOn = this.#number(holder, key)
    // true, false or null
    else while (isLetter(this.#text.charCodeAt(this.#at))) this.#at++
    if (!goesOn) this.#path.push(key)
    return goesOn
  }

  #number(holder: Holder, key: string | number): boolean {
    const start = this.#at
    while (isOfNumber(this.#text.charCodeAt(this.#at))) this.#at++
    this.#found = this.#visit(this.#text.slice(start, this.#at), holder, key)
    return this.#found === null
  }

  /** Goes behind the closing quote of a string. */
  #skipString(): void {
    const text = this.#text
    let at = this.#at + 1
    for (;;) {
      const quote = text.indexOf('"', at)
      let slashes = quote
      while (text.charCodeAt(slashes - 1) === BACKSLASH) slashes--
      at = quote + 1
      if ((quote - slashes) % 2 === 0) break
    }
    this.#at = at
  }
}

function isLetter(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

/** Digits, `+ - . e E`; no other byte of JSON that follows a number is one of them. */
function isOfNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e || (code | 0x20) === 0x65
}
