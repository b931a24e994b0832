import type { MessageSubject } from '../controls/message/message-control.ts'

/** Messages of one connection that were read and wait for their turn, oldest first. */
export class Backlog {
  #waiting: (MessageSubject | undefined)[] = []
  #head = 0
  #bytes = 0

  get size(): number {
    return this.#waiting.length - this.#head
  }
  /** Of all that wait, on the wire. */
  get bytes(): number {
    return this.#bytes
  }

  push(subject: MessageSubject): void {
    this.#waiting.push(subject)
    this.#bytes += subject.bytes
  }

  /** Takes the oldest; undefined when none waits. */
  shift(): MessageSubject | undefined {
    const subject = this.#waiting[this.#head]
    if (subject === undefined) return undefined
    this.#waiting[this.#head++] = undefined
    this.#bytes -= subject.bytes
    return subject
  }

  /** Puts one back before all that wait. */
  putBack(subject: MessageSubject): void {
    this.#bytes += subject.bytes
    if (this.#head > 0) this.#waiting[--this.#head] = subject
    else this.#waiting.unshift(subject)
  }
}
