import { textOf } from '../../wire/index.ts'
import type { MessageSubject } from './message-control.ts'

/** A message from a transport. It is a class only for speed: all messages have the same shape. */
export class Subject implements MessageSubject {
  readonly bytes: number
  readonly data: Uint8Array | null
  value: unknown = undefined
  type: string | null = null
  read = false
  exact = false
  near = false
  big = false
  digits = false
  altered = false
  lent: Buffer | null = null
  start = 0
  end = 0
  ascii = false
  #text: string | null

  constructor(bytes: number, text: string | null, data: Uint8Array | null, exact = false) {
    this.bytes = bytes
    this.#text = text
    this.data = data
    this.exact = exact
  }

  /** A text message as bytes. They are valid UTF-8. The transport may reuse them after its call returns. */
  static lent(bytes: Buffer, start: number, end: number, ascii: boolean): Subject {
    const subject = new Subject(end - start, null, null)
    subject.lent = bytes
    subject.start = start
    subject.end = end
    subject.ascii = ascii
    return subject
  }

  get text(): string | null {
    if (this.#text === null && this.lent !== null) this.#text = textOf(this.lent, this.start, this.end, this.ascii)
    return this.#text
  }

  keep(): void {
    if (this.lent === null) return
    void this.text
    this.lent = null
  }
}
