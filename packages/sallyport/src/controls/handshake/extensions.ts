import { openFields } from '../../shape/fields.ts'
import { count, type Size, size } from '../../shape/kinds.ts'
import { key, openSection, type Shape } from '../../shape/shape.ts'
import { pathTo } from '../../shape/shown.ts'
import { sizeInWords } from '../../shape/words.ts'
import { defineControl, on } from '../definition.ts'
import type { HandshakeOf } from './handshake-control.ts'

/** `handshake.extensions` of a parsed policy: the parameters of permessage-deflate (RFC 7692). */
export interface DeflateOffer {
  /** Messages smaller than this number of bytes are sent uncompressed. */
  readonly threshold: number
  /** Greatest LZ77 window, as a power of two. */
  readonly windowBits: number
}

/** The values that a policy may give for `deflate`. */
export interface DeflateInput {
  readonly threshold?: Size
  readonly windowBits?: number
}

const DEFLATE_KEYS = {
  threshold: key(size, 1024, 'Shorter messages are sent as they are.'),
  // zlib cannot write a raw stream with a window of 8 bits.
  windowBits: key({ ...count(9, 15), type: '9–15' }, 12, 'LZ77 window, 2^bits bytes.', {
    because: 'a message being deflated costs about half the memory of the full window',
  }),
}

const deflate: Shape<DeflateOffer | null, boolean | DeflateInput> = {
  type: 'boolean or object',
  schema: {
    anyOf: [
      { type: 'boolean' },
      {
        type: 'object',
        additionalProperties: false,
        properties: { threshold: size.schema, windowBits: DEFLATE_KEYS.windowBits.shape.schema },
      },
    ],
  },
  read(fields, name, fallback) {
    const said = fields.get(name)
    if (said === undefined || said === false) return fallback
    const path = pathTo(fields.path, name)
    const section = openFields(said === true ? {} : said, path, Object.keys(DEFLATE_KEYS), fields.findings)
    const { threshold, windowBits } = DEFLATE_KEYS
    return Object.freeze({
      threshold: threshold.shape.read(section, 'threshold', threshold.default),
      windowBits: windowBits.shape.read(section, 'windowBits', windowBits.default),
    })
  },
  words: offer => (offer === null ? 'false' : `from ${sizeInWords(offer.threshold)}`),
}

const KEYS = {
  deflate: key(deflate, null, 'Negotiates permessage-deflate (RFC 7692), without context takeover.', {
    because: 'CRIME-like leaks, bombs, memory (OWASP WS-3)',
  }),
  'deflate.threshold': DEFLATE_KEYS.threshold,
  'deflate.windowBits': DEFLATE_KEYS.windowBits,
}
export interface ExtensionsInput {
  readonly deflate?: boolean | DeflateInput
}

/**
 * `handshake/extensions`. Null means "negotiate nothing" and is the default (OWASP 3). If deflate is allowed, no
 * context is kept between messages, so an idle connection holds no window. `message.size.bytes` bounds the inflated
 * size, and the inflater enforces it while it works. This control denies nothing: an offer that is not allowed is
 * ignored.
 */
export const extensions = defineControl({
  id: 'handshake/extensions',
  denies:
    'permessage-deflate is offered and not allowed: it is not negotiated; where it is, window, ratio and decompressed size are bounded',
  default: 'off: nothing is compressed',
  meets: ['WS-3', 'WS-17', 'RFC-10.4'],
  keys: KEYS,
  example: 'extensions: { deflate: true }',
  examples: { deflate: "deflate: { threshold: '1 KiB' }" },
  denials: {},
  read: (handshake): DeflateOffer | null =>
    openSection(handshake, { id: 'handshake/extensions', keys: KEYS }).value('deflate'),
  effective: section =>
    section === null
      ? on('nothing is compressed')
      : on(`deflate from ${sizeInWords(section.threshold)}, window 2^${section.windowBits}`),
  compile: (policy: HandshakeOf<{ extensions: DeflateOffer | null }>): DeflateOffer | null =>
    policy.handshake.extensions,
})
