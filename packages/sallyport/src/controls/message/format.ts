import { isReported } from '../../model/reporting.ts'
import { PASS, deny } from '../../model/verdict.ts'
import type { Denial, Verdict } from '../../model/verdict.ts'
import { keyTokens } from '../../schema/key-tokens.ts'
import { checkNumbers, withDigits } from '../../schema/numbers.ts'
import { shownPath } from '../../schema/schema-result.ts'
import type { MessageCheck, MessageControl, MessageSubject } from './message-control.ts'
import { hasOneReading } from './one-reading.ts'
import { treeCheck } from '../../schema/tree-check.ts'

const BINARY: Denial = deny('SALLY_MESSAGE_NOT_TEXT', 'a binary message where text is declared')
const TEXT: Denial = deny('SALLY_MESSAGE_NOT_TEXT', 'a text message where binary is declared')
const LONE: Denial = deny('SALLY_MESSAGE_NOT_UTF8', 'the text holds a lone surrogate')
const NOT_JSON: Denial = deny('SALLY_MESSAGE_NOT_JSON', 'the text does not parse')
const NOT_OBJECT: Denial = deny('SALLY_MESSAGE_NOT_JSON', 'the top level is not an object')
const DUPLICATE: Denial = deny('SALLY_MESSAGE_KEY', 'an object holds a key twice, or JSON.parse misread an escaped key')

/**
 * Parses a message and denies what a second parser could read differently, or what is deeper or wider than the
 * bounds of `message.format`, and numbers that JSON.parse would round. JSON.parse is the only parser. `subject.value` is written before a denial where
 * something was parsed, so that report mode goes on with it. Never null: where the policy turned it off, the value is
 * JSON where the text parses, else the text or the bytes.
 */
export const format: MessageControl = {
  id: 'message/format',
  compile(whole): MessageCheck {
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
      // It may be judged a second time, by another policy.
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
        // Report mode goes on with what JSON.parse made, without the bigints before the fault.
        if (policy.bigIntegers !== 'refuse') subject.value = JSON.parse(source)
        return deny('SALLY_MESSAGE_NUMBER', `${shownPath(numbers.path)}: ${numbers.fault}`)
      }
      subject.near = numbers.near
      subject.big = numbers.big
      // A schema judges the number that was sent, and hands the text on.
      if (numbers.big && asText) {
        subject.value = withDigits(value)
        // What only reports changes nothing: a listener of text gets what came.
        subject.digits = !reports
      }
      return PASS
    }
  },
}

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

/** A rule of the app judges the value: where a second parser could read the text otherwise, the value goes on. */
function parseForRule(subject: MessageSubject): Verdict {
  parseLeniently(subject)
  const { text, value } = subject
  subject.altered = text !== null && isObject(value) && !hasOneReading(text, value)
  return PASS
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
