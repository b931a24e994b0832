import { isReported, type Reporting } from '../../model/reporting.ts'
import { type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import { keyTokens } from '../../schema/key-tokens.ts'
import { checkNumbers, withDigits } from '../../schema/numbers.ts'
import { shownPath } from '../../schema/schema-result.ts'
import { treeCheck } from '../../schema/tree-check.ts'
import { refuse, refuseIdle } from '../../shape/fields.ts'
import { choice, count, list, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { pathTo, show } from '../../shape/shown.ts'
import { countInWords, listInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { MessageCheck, MessageOf, MessageSubject } from './message-control.ts'
import { hasOneReading } from './one-reading.ts'

/** `message.format` of a parsed policy. */
export interface FormatSection {
  readonly data: 'json' | 'text' | 'binary' | 'any'
  readonly depth: number
  readonly width: number
  readonly allowKeys: readonly string[]
  readonly bigIntegers: 'refuse' | 'text' | 'bigint'
}

const DEPTH = 32
const WIDTH = 1024

const KEYS = {
  data: key(choice('json', 'text', 'binary', 'any'), 'json', 'What the app speaks. A schema needs `json`.'),
  // With a depth of some thousands, the recursion of any JSON parser ends in a stack overflow.
  depth: key(count(1, 1000), DEPTH, 'Objects and arrays inside each other.', {
    because: "deeper than any hand-written message, far from the end of any parser's stack",
  }),
  width: key(count(1, 1_000_000), WIDTH, 'Keys of one object, elements of one array.', {
    because: 'a roster of a room fits',
  }),
  bigIntegers: key(
    choice('refuse', 'text', 'bigint'),
    'refuse',
    'Integers beyond ±(2^53 − 1), which JavaScript numbers round: refused, or up to 64 bits delivered as the text of their digits or as a `bigint`.',
    { because: "an id that was rounded names somebody else's row; who needs 64 bits says how they arrive" },
  ),
  dangerouslyAllowKeys: key(
    list<string>("'constructor'", (value, at, index) => {
      if (typeof value === 'string' && value !== '') return value
      refuse(at, index, show(value), 'a key is text', "write the key: 'constructor'")
      return null
    }),
    null,
    'Keys such as `constructor` that pass all the same.',
  ),
  dangerouslyOff: OFF,
}
export type FormatInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_MESSAGE_NOT_TEXT: {
    action: 'close',
    close: 1003,
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['S5', 'WS-16', 'WS-19', 'RFC-10.7'],
    means: 'a binary message where text is meant, or the reverse',
    remedy: 'Set `message.format.data` to what the app speaks.',
    tells: {
      binary: 'a binary message where text is declared',
      text: 'a text message where binary is declared',
      packet: 'a binary Socket.IO packet',
    },
  },
  SALLY_MESSAGE_NOT_UTF8: {
    action: 'close',
    close: 1007,
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['S5', 'RFC-10.7'],
    means: 'a text message is not UTF-8, or holds a lone surrogate',
    remedy: 'Nothing to configure: such text cannot be passed on unchanged.',
    tells: {
      lone: 'the text holds a lone surrogate',
      escaped: 'a string holds an escaped lone surrogate',
      post: 'a post is not UTF-8',
      wire: '{fault}',
    },
  },
  SALLY_PROTOCOL_ERROR: {
    action: 'close',
    close: 1002,
    level: 'warn',
    event: 'malicious_extraneous',
    requirements: ['WS-29', 'RFC-10.7'],
    means: 'the peer broke the WebSocket protocol',
    remedy: 'Nothing to configure: the client, or a proxy on the way, is broken or hostile.',
    tells: '{fault}',
  },
  SALLY_MESSAGE_NOT_JSON: {
    action: 'reply',
    close: 1007,
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['S5', 'WS-16', 'WS-20', 'RFC-10.7'],
    means: 'the message is not one JSON object',
    remedy: 'Send JSON objects with a type; see `message.format`.',
    tells: {
      unparsed: 'the text does not parse',
      'no-object': 'the top level is not an object',
    },
  },
  SALLY_MESSAGE_SHAPE: {
    action: 'reply',
    close: 1007,
    level: 'warn',
    event: 'malicious_extraneous',
    requirements: ['S5', 'WS-16'],
    means: 'the message is deeper or wider than the bounds',
    remedy: 'Raise `message.format.depth` or `.width`.',
    tells: {
      deep: 'deeper than {depth}',
      wide: 'an object or array holds more than {width}',
    },
  },
  SALLY_MESSAGE_NUMBER: {
    action: 'reply',
    close: 1007,
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['S5', 'WS-16'],
    means: 'a number of the message does not survive a JavaScript number',
    remedy:
      'Send such a number as text; `message.format.bigIntegers` lets integers of 64 bits in. The detail names the field.',
    tells: '{path}: {fault}',
  },
  SALLY_MESSAGE_KEY: {
    action: 'reply',
    close: 1007,
    level: 'critical',
    event: 'malicious_extraneous',
    requirements: ['S5', 'WS-16'],
    means: 'the message repeats a key, or holds one that reaches into prototypes',
    remedy:
      'No honest client sends these; see `message.format.dangerouslyAllowKeys` for an app whose data has such names.',
    tells: {
      twice: 'an object holds a key twice, or JSON.parse misread an escaped key',
      forbidden: 'the key {key}',
    },
  },
} as const
const deny = denying(DENIALS)

const BINARY: Denial = deny('SALLY_MESSAGE_NOT_TEXT', { reason: 'binary' })
const TEXT: Denial = deny('SALLY_MESSAGE_NOT_TEXT', { reason: 'text' })
const LONE: Denial = deny('SALLY_MESSAGE_NOT_UTF8', { reason: 'lone' })
const NOT_JSON: Denial = deny('SALLY_MESSAGE_NOT_JSON', { reason: 'unparsed' })
const NOT_OBJECT: Denial = deny('SALLY_MESSAGE_NOT_JSON', { reason: 'no-object' })
const DUPLICATE: Denial = deny('SALLY_MESSAGE_KEY', { reason: 'twice' })

/**
 * Parses a message with JSON.parse, the only parser. Denies a message that a second parser could read differently, that
 * exceeds the depth or width of `message.format`, or that has numbers which JSON.parse would round. After a successful
 * parse `subject.value` is written even before a denial, so that report mode can continue with it. It is never null: if
 * the policy turned the control off, the value is the parsed JSON, or else the text or the bytes.
 */
export const format = defineControl({
  id: 'message/format',
  denies:
    'it is binary where text is meant (or the reverse), not UTF-8, not JSON, deeper or wider than bounds, duplicate keys, `__proto__`/`constructor` keys, numbers that JavaScript would round',
  default: `text JSON, depth ${DEPTH}, width ${countInWords(WIDTH)}`,
  meets: ['S13', 'WS-5'],
  keys: KEYS,
  example: "format: { data: 'json' }",
  denials: DENIALS,
  read(message): FormatSection | null {
    const section = openSection(message, { id: 'message/format', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const allowKeys = section.value('dangerouslyAllowKeys')
    if (allowKeys !== null && allowKeys.length > 0) {
      const path = pathTo(section.fields.path, 'dangerouslyAllowKeys')
      message.findings.weakened.push({ path, control: 'message/format' })
    }
    const read = {
      data: section.value('data'),
      depth: section.value('depth'),
      width: section.value('width'),
      allowKeys: allowKeys ?? Object.freeze([]),
      bigIntegers: section.value('bigIntegers'),
    }
    if (read.data !== 'json') refuseIdle(section.fields, 'bigIntegers', "data: 'json'")
    return isOff ? null : Object.freeze(read)
  },
  effective(section) {
    if (section === null) return off('any bytes')
    const { data, depth, width, allowKeys, bigIntegers } = section
    const keys = allowKeys.length === 0 ? '' : `, keys ${listInWords(allowKeys)}`
    const big = bigIntegers === 'refuse' ? '' : `, integers of 64 bits as ${bigIntegers}`
    return on(`${data}, depth ${depth}, width ${countInWords(width)}${keys}${big}`)
  },
  compile(
    whole: MessageOf<{ format: FormatSection | null; schema: object | null; authorize: object | null }> & Reporting,
  ): MessageCheck {
    const { message } = whole
    const policy = message.format
    if (policy === null) return message.authorize === null ? parseLeniently : parseForRule
    if (policy.data === 'text') return text
    if (policy.data === 'binary') return binary
    if (policy.data === 'any') return subject => (subject.text === null ? binary(subject) : text(subject))
    const tree = treeCheck(policy)
    const reports = isReported(whole, 'message/format')
    const asText = policy.bigIntegers === 'text' && message.schema === null
    return subject => {
      const source = subject.text
      // Another policy may judge the message a second time.
      subject.altered = false
      subject.digits = false
      subject.near = false
      subject.big = false
      if (source === null) {
        subject.value = subject.data
        return BINARY
      }
      let value: unknown
      try {
        value = JSON.parse(source)
      } catch {
        subject.value = source
        return NOT_JSON
      }
      subject.value = value
      if (!isObject(value)) return NOT_OBJECT
      if (!source.isWellFormed()) return LONE
      const keys = tree.check(value, source.includes('\\'))
      if (typeof keys !== 'number') return keys
      if (keyTokens(source) !== keys) return DUPLICATE
      if (!tree.holdsNumbers()) return PASS
      const numbers = checkNumbers(source, value, policy.bigIntegers)
      if (!numbers.ok) {
        // Report mode continues with the value of JSON.parse, without the bigints before the fault.
        if (policy.bigIntegers !== 'refuse') subject.value = JSON.parse(source)
        return deny('SALLY_MESSAGE_NUMBER', { path: shownPath(numbers.path), fault: numbers.fault })
      }
      subject.near = numbers.near
      subject.big = numbers.big
      // A schema judges the number that was sent. The text of its digits is passed on.
      if (numbers.big && asText) {
        subject.value = withDigits(value)
        // A control in report mode changes nothing: a listener for text gets the original.
        subject.digits = !reports
      }
      return PASS
    }
  },
})

function text(subject: MessageSubject): Verdict {
  if (subject.text === null) {
    subject.value = subject.data
    return BINARY
  }
  subject.value = subject.text
  return subject.text.isWellFormed() ? PASS : LONE
}

function binary(subject: MessageSubject): Verdict {
  if (subject.data === null) {
    subject.value = subject.text
    return TEXT
  }
  subject.value = subject.data
  return PASS
}

function parseLeniently(subject: MessageSubject): Verdict {
  if (subject.text === null) subject.value = subject.data
  else {
    try {
      subject.value = JSON.parse(subject.text)
    } catch {
      subject.value = subject.text
    }
  }
  return PASS
}

/**
 * A rule of the app judges the value. If a second parser could read the text differently, the value is passed on and
 * not the text.
 */
function parseForRule(subject: MessageSubject): Verdict {
  parseLeniently(subject)
  const { text, value } = subject
  subject.altered = text !== null && isObject(value) && !hasOneReading(text, value)
  return PASS
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
