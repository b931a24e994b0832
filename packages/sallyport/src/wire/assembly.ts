const EMPTY = Buffer.alloc(0)
const LEAST_BYTES = 512

/**
 * The bytes of a message that arrives in parts: one growing buffer and not a list of chunks. It holds at most twice the
 * bytes received, whatever length a header announces. So a peer cannot use memory by announcing a length.
 */
export class Assembly {
  bytes: Buffer = EMPTY
  length = 0

  /** Appends a copy of `source[start..end)`. */
  append(source: Buffer, start: number, end: number): void {
    const length = this.length + (end - start)
    if (length > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, 2 * length))
      this.bytes.copy(grown, 0, 0, this.length)
      this.bytes = grown
    }
    source.copy(this.bytes, this.length, start, end)
    this.length = length
  }
}
