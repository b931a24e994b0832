const EMPTY = Buffer.alloc(0)
const LEAST_BYTES = 512

/**
 * The bytes of a message that comes in parts: one growing buffer, never a list of chunks. It holds at most twice what
 * was received, whatever length a header announces, so that announcing costs the peer as much as sending.
 */
export class Assembly {
  bytes: Buffer = EMPTY
  length = 0

  /** Copies `source[start..end)` behind what is there. */
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
