import type { MessageSubject } from '../controls/message/message-control.ts'

/** The messages of one connection that were read and wait to be judged, oldest first. */
export class Backlog {
  #waiting: (MessageSubject | undefined)[] = []
  #head = 0
  #bytes = 0

  get size(): number {
    return this.#waiting.length - this.#head
  }
  /** Bytes on the wire of all waiting messages. */
  get bytes(): number {
    return this.#bytes
  }

  push(subject: MessageSubject): void {
    this.#waiting.push(subject)
    this.#bytes += subject.bytes
  }

  /** Takes the oldest message. Undefined when none waits. */
  shift(): MessageSubject | undefined {
    const subject = this.#waiting[this.#head]
    if (subject === undefined) return undefined
    this.#waiting[this.#head++] = undefined
    this.#bytes -= subject.bytes
    return subject
  }

  /** Puts a message back before all others. */
  putBack(subject: MessageSubject): void {
    this.#bytes += subject.bytes
    if (this.#head > 0) this.#waiting[--this.#head] = subject
    else this.#waiting.unshift(subject)
  }
}
