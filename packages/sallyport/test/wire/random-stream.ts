/** A small seeded generator (xorshift32): a failing stream is found again by its seed. */
export type Random = (below: number) => number

export function seeded(seed: number): Random {
  let state = (seed * 2654435761) | 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function pick<T>(random: Random, list: readonly T[]): T {
  const picked = list[random(list.length)]
  if (picked === undefined) throw new TypeError('There is nothing to pick from.')
  return picked
}

/** A stream of frames as a peer might send it: mostly right, here and there broken in one of the ways that §5 forbids. */
export interface Stream {
  readonly bytes: Buffer
  readonly frames: number
}

const TEXTS = ['', 'a', '{"type":"chat","text":"hello"}', 'é', '€uro', '😀', 'x'.repeat(125), 'y'.repeat(126)]
const BROKEN_UTF8 = ['ff', 'c3', 'c0af', 'eda080', 'f4908080', '61e282', '80', 'f09f98', '61c328'].map(hex =>
  Buffer.from(hex, 'hex'),
)
const CLOSE_CODES = [1000, 1001, 1005, 1006, 1004, 1015, 1016, 999, 2999, 3000, 4999, 5000, 0, 65535]

/**
 * @param masked whether the frames are a client's
 * @param frames how many to write, at most
 */
export function randomStream(random: Random, masked: boolean, frames: number): Stream {
  const parts: Buffer[] = []
  let open = 0
  let written = 0
  for (; written < frames; written++) {
    const kind = random(100)
    if (kind < 12) parts.push(frame(random, masked, 0x80 | (9 + random(2)), payload(random, 126)))
    else if (kind === 12) parts.push(frame(random, masked, 0x88, closing(random)))
    else {
      const last = random(4) > 0
      const opcode = open === 0 ? 1 + random(2) : random(60) === 0 ? random(3) : 0
      const effective = opcode === 0 ? open : opcode
      parts.push(
        frame(random, masked, (last ? 0x80 : 0) | opcode, effective === 1 ? text(random) : payload(random, 300)),
      )
      open = last ? 0 : effective
    }
  }
  let bytes = Buffer.concat(parts)
  if (random(12) === 0) bytes = bytes.subarray(0, random(bytes.length + 1))
  if (random(12) === 0 && bytes.length > 0) {
    const place = random(bytes.length)
    bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << random(8)), place)
  }
  return { bytes, frames: written }
}

/** Cuts bytes into chunks of their own: mostly few, at times single bytes. */
export function randomCuts(random: Random, bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  const whole = bytes.length + 1
  const longest =
    bytes.length > 2000 ? pick(random, [900, whole]) : pick(random, [1, 3, 20, 90, 200, 500, whole, whole])
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random(longest))
    chunks.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return chunks
}

function payload(random: Random, below: number): Buffer {
  if (random(2000) === 0) return Buffer.alloc(pick(random, [65534, 65535, 65536, 70000, 70001]), random(256))
  const bytes = Buffer.alloc(random(8) === 0 ? below - 1 : random(below))
  for (let index = 0; index < bytes.length; index += 7) bytes[index] = random(256)
  return bytes
}

function text(random: Random): Buffer {
  if (random(60) === 0) return Buffer.from(pick(random, BROKEN_UTF8))
  const bytes = Buffer.from(pick(random, TEXTS) + pick(random, TEXTS))
  // At times a fragment ends inside a character; the next begins with the rest only by chance.
  return random(20) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes
}

function closing(random: Random): Buffer {
  const length = random(6)
  if (length < 2) return Buffer.alloc(length)
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(pick(random, CLOSE_CODES))
  return Buffer.concat([bytes, text(random).subarray(0, 123)])
}

function frame(random: Random, masked: boolean, first: number, content: Buffer): Buffer {
  const broken = random(300)
  const mask = (broken === 0 ? !masked : masked) ? 0x80 : 0
  if (broken === 1) first ^= 0x10 << random(3)
  if (broken === 2) first = (first & 0xf0) | random(16)
  if (broken === 3) first &= 0x7f
  const { length } = content
  let head: Buffer
  if (broken === 4) {
    head = Buffer.from([first, mask | 127, 0, 0, 0, 0, 0, 0, length >> 8, length & 255])
    if (random(2) === 0) head[2 + random(6)] = 1 << random(8)
  } else if (broken === 5) head = Buffer.from([first, mask | 126, (length >> 8) & 255, length & 255])
  else if (length < 126) head = Buffer.from([first, mask | length])
  else if (length < 65536) head = Buffer.from([first, mask | 126, length >> 8, length & 255])
  else head = Buffer.from([first, mask | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255])
  if (mask === 0) return Buffer.concat([head, content])
  const key = Buffer.from([random(256), random(256), random(3) === 0 ? 0 : random(256), random(256)])
  const hidden = Buffer.from(content)
  for (let index = 0; index < length; index++)
    hidden.writeUInt8(hidden.readUInt8(index) ^ key.readUInt8(index & 3), index)
  return Buffer.concat([head, key, hidden])
}
