import { isUtf8 } from 'node:buffer'

const padded = Buffer.alloc(4)

/** The number of bytes that a lead byte announces. 0 if no sequence can begin with it. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xc2) return 0
  if (lead < 0xe0) return 2
  if (lead < 0xf0) return 3
  return lead < 0xf5 ? 4 : 0
}

/** Whether an incomplete sequence can still become a character. Its best completion is tested. */
function canComplete(bytes: Buffer, start: number, end: number, length: number): boolean {
  const lead = bytes[start]!
  padded.fill(0x80)
  // The one second byte that suits every lead but ED and F4 (80..9F, 80..8F) is the one that these take anyway.
  padded[1] = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  bytes.copy(padded, 0, start, end)
  return isUtf8(padded.subarray(0, length))
}

/**
 * Checks text that arrives in parts (RFC 6455 §8.1). A fault is found as early as possible.
 *
 * @returns the end of the last complete character, where the next check continues; -1 for invalid UTF-8
 */
export function checkUtf8(bytes: Buffer, start: number, end: number): number {
  // At most three bytes at the end can belong to an incomplete character.
  let lead = end
  do lead--
  while (lead > start && end - lead < 4 && (bytes[lead]! & 0xc0) === 0x80)
  const length = lead >= start ? sequenceLength(bytes[lead]!) : 0
  const whole = length > end - lead ? lead : end
  if (!isUtf8(bytes.subarray(start, whole))) return -1
  return whole === end || canComplete(bytes, whole, end, length) ? whole : -1
}
