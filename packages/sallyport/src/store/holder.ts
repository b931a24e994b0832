import type { Expiring, Linked } from './expiry.ts'

/**
 * One id and the places that it holds, each under a key and until a time of its own. A connection holds three: so many stand
 * in the record itself, where an object for each would be a hundred bytes more of every idle connection.
 */
export class Holder implements Expiring {
  readonly id: string
  /** When the first of its places ends, or earlier. */
  due: number
  before: Linked | null = null
  after: Linked | null = null
  #key1: string | null
  #due1: number
  #key2: string | null = null
  #due2 = 0
  #key3: string | null = null
  #due3 = 0
  #more: Map<string, number> | null = null

  constructor(id: string, key: string, due: number) {
    this.id = id
    this.due = due
    this.#key1 = key
    this.#due1 = due
  }

  /** When its place under `key` ends; undefined where it holds none. */
  dueOf(key: string): number | undefined {
    if (this.#key1 === key) return this.#due1
    if (this.#key2 === key) return this.#due2
    if (this.#key3 === key) return this.#due3
    return this.#more?.get(key)
  }

  /** Takes a place under a key, or renews the one that it holds there. */
  hold(key: string, due: number): void {
    const isHeld = this.dueOf(key) !== undefined
    if (this.#key1 === key || (!isHeld && this.#key1 === null)) {
      this.#key1 = key
      this.#due1 = due
    } else if (this.#key2 === key || (!isHeld && this.#key2 === null)) {
      this.#key2 = key
      this.#due2 = due
    } else if (this.#key3 === key || (!isHeld && this.#key3 === null)) {
      this.#key3 = key
      this.#due3 = due
    } else {
      this.#more ??= new Map()
      this.#more.set(key, due)
    }
  }

  leave(key: string): void {
    if (this.#key1 === key) this.#key1 = null
    else if (this.#key2 === key) this.#key2 = null
    else if (this.#key3 === key) this.#key3 = null
    else this.#more?.delete(key)
  }

  /** When the first of its places ends; `Infinity` where it holds none. */
  earliest(): number {
    let due = this.#key1 === null ? Infinity : this.#due1
    if (this.#key2 !== null && this.#due2 < due) due = this.#due2
    if (this.#key3 !== null && this.#due3 < due) due = this.#due3
    for (const other of this.#more?.values() ?? []) if (other < due) due = other
    return due
  }

  /** The keys of the places that are over. */
  over(at: number): readonly string[] {
    const keys = [this.#key1, this.#key2, this.#key3, ...(this.#more?.keys() ?? [])]
    return keys.filter(key => key !== null).filter(key => this.dueOf(key)! <= at)
  }
}
