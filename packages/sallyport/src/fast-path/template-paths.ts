const HIGH = 0x80808080 | 0

/**
 * Compiles the allowed bytes of `count` positions, four positions in one word, so that four bytes are judged at once.
 * `fits` says whether a byte is allowed at a position. Bytes below 0x20 or beyond ASCII are never allowed. Null if there
 * are fewer than four positions, or if the bytes of one position form more than two ranges.
 */
export function compilePlaces(count: number, fits: (place: number, byte: number) => boolean): Int32Array | null {
  if (count < 4) return null
  // For each word, what to add so that a high bit says: from the first range on; past it; the same for the second.
  const bytes = new Uint8Array(Math.ceil(count / 4) * 16)
  for (let word = 0; word < bytes.length; word += 16) {
    for (let index = 0; index < 4; index++) {
      const place = Math.min(word / 4, count - 4) + index
      const ranges = rangesOf(byte => fits(place, byte))
      const [first, second = first] = ranges
      if (first === undefined || second === undefined || ranges.length > 2) return null
      bytes[word + index] = 0x80 - first.from
      bytes[word + index + 4] = 0x7f - first.to
      bytes[word + index + 8] = 0x80 - second.from
      bytes[word + index + 12] = 0x7f - second.to
    }
  }
  const view = new DataView(bytes.buffer)
  return Int32Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4, true))
}

/** Whether each of `count` bytes is in the class of its place. The last word overlaps the one before it. */
export function fitPlaces(words: Int32Array, count: number, view: DataView, start: number): boolean {
  const last = count - 4
  for (let at = 0; at < words.length; at += 4) {
    const word = view.getInt32(start + (at < last ? at : last), true)
    const first = (word + words[at]!) & ~(word + words[at + 1]!)
    const second = (word + words[at + 2]!) & ~(word + words[at + 3]!)
    if (((first | second) & ~word & HIGH) !== HIGH) return false
  }
  return true
}

function rangesOf(fits: (byte: number) => boolean): { readonly from: number; readonly to: number }[] {
  const ranges: { from: number; to: number }[] = []
  for (let byte = 0x20; byte < 0x80; byte++) {
    if (!fits(byte)) continue
    const before = ranges.at(-1)
    if (before?.to === byte - 1) before.to = byte
    else ranges.push({ from: byte, to: byte })
  }
  return ranges
}
