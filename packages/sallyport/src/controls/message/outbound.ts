import { isReported, type Reporting } from '../../model/reporting.ts'
import type { BigIntegers, SchemaMap } from '../../model/schema-kinds.ts'
import { alteredText, isAsSent } from './message-text.ts'
import { checkNumbers, parseAgain, parseWithBigints, withDigits, withNeighbours } from '../../schema/numbers.ts'
import { hasOneReading } from './one-reading.ts'
import { dataKindOf } from '../../schema/plain-data.ts'
import { compileSchemas, typeOf } from './schema.ts'
import { type SchemaCheck, shownPath } from '../../schema/schema-result.ts'
import { undeclaredFields } from './undeclared-fields.ts'

import { key, type Shape } from '../../shape/shape.ts'
import { listInWords } from '../../shape/words.ts'
import { defineControl, off, on } from '../definition.ts'
import { PONG_TYPE } from './heartbeat.ts'
import type { MessageOf } from './message-control.ts'
import { BESIDE_SCHEMA } from './schema-keys.ts'
import { readSchemaMap, type ReservedType } from './schema-section.ts'

/** `message.outbound` of a parsed policy. */
export interface OutboundSection {
  readonly types: SchemaMap
  readonly discriminator: string
}

const PONG: ReservedType = {
  type: PONG_TYPE,
  fault: 'the guard sends this type itself, as the answer to a heartbeat',
  remedy: 'choose another name',
}

/** Schemas of the messages that the app sends, by type. `readSchemaMap` reads them. */
const schemas: Shape<SchemaMap | null, SchemaMap> = {
  type: '{ [type]: Schema }',
  schema: {},
  read: (message, name) => readSchemaMap(message, name, [PONG]),
  words: () => 'none',
}

const KEYS = {
  '': key(schemas, null, 'Schemas of what the app sends, by type. Declared, nothing else is sent.'),
}

const DENIALS = {
  SALLY_OUTBOUND_INVALID: {
    action: 'drop',
    level: 'error',
    event: 'input_validation_fail',
    requirements: ['S5', 'RFC-10.7'],
    means: 'what the app sends does not match the outbound schema and was not sent',
    remedy: 'Repair the sender; the detail names the path.',
    tells: '{fault}',
  },
} as const

/**
 * Checks the messages that the app sends. Only declared types leave, without fields that their schema does not declare.
 */
export const outbound = defineControl({
  id: 'message/outbound',
  denies: 'what the app sends does not match the outbound schema: unknown fields stripped, secrets never leave',
  default: 'off until declared',
  meets: ['S11', 'WS-30'],
  notProbed: 'from outside nobody knows which field should have stayed inside',
  keys: KEYS,
  example: 'outbound: { chat: ChatSchema }',
  denials: DENIALS,
  read(message): OutboundSection | null {
    const types = message.get('outbound') === undefined ? null : KEYS[''].shape.read(message, 'outbound', null)
    const { shape, default: fallback } = BESIDE_SCHEMA.discriminator
    return types === null
      ? null
      : Object.freeze({ types, discriminator: shape.read(message, 'discriminator', fallback) })
  },
  effective: section =>
    section === null
      ? off('not declared: what the app sends is not checked')
      : on(listInWords(Object.keys(section.types))),
})

/**
 * The message to send, or the reason why none is sent. `detail` names a path and a keyword, never a value. `given` is
 * what report mode sends instead: the app's own message, or its JSON if code of the app wrote that.
 */
export type OutboundResult =
  | { readonly ok: true; readonly value: object | string }
  | { readonly ok: false; readonly detail: string; readonly given: object | string }

/** Checks one message of the app before it is sent. Throws only the errors of JSON.stringify for that message. */
export type OutboundCheck = (message: object | string) => OutboundResult

/** The JSON of a message as it would be sent. Throws if it has none. */
export type WriteJson = (message: object) => string

/**
 * Compiles `message.outbound`. A message of the app must match the schema of its type. It leaves without the fields
 * that the schema does not declare, so that a password hash in a database row never leaves. Null if nothing is
 * declared.
 *
 * The checked message is the sent one. Plain data is checked directly. A message with code in it (a getter, a `toJSON`,
 * a proxy) is written once, and the check reads the written text. Dates may be checked as dates or as their text. Bytes
 * match no schema. An asynchronous schema refuses every message, because messages must keep their order. Report mode
 * changes no message: it names the fields that would be stripped.
 */
export function compileOutbound(
  whole: MessageOf<{
    outbound: OutboundSection | null
    format: { readonly bigIntegers: BigIntegers } | null
  }> &
    Reporting,
  writeJson: WriteJson,
): OutboundCheck | null {
  const { message } = whole
  const policy = message.outbound
  if (policy === null) return null
  const { types, discriminator } = policy
  const bigIntegers = message.format?.bigIntegers ?? 'refuse'
  const checks = compileSchemas(types, { discriminator, unknownFields: 'strip', bigIntegers })
  const schemaOf = (value: unknown): Declared | null => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    const type = typeOf(value, discriminator)
    const schema = type === null ? undefined : checks.get(type)
    return type === null || schema === undefined ? null : { type, schema, value }
  }
  const reports = isReported(whole, 'message/outbound')
  /** `isOwn`: whether the value belongs to the app, so that no schema may change it. */
  const check = (value: unknown, isOwn: boolean): Checked => {
    const declared = schemaOf(value)
    if (declared === null) return UNDECLARED
    const isCopied = isOwn && (reports || declared.schema.mayChange === true)
    return checkBy(declared.schema, declared.type, isCopied ? structuredClone(declared.value) : declared.value)
  }
  const checkText = (text: string): OutboundResult => {
    const declared = schemaOf(parsed(text))
    if (declared === null) return withGiven(UNDECLARED, text)
    try {
      return judgeText(text, declared, bigIntegers)
    } catch (error) {
      // JSON.parse reads any depth. Other code throws a RangeError for a deep value.
      if (!(error instanceof RangeError)) throw error
      return { ok: false, detail: `${declared.type}: nested too deep to be checked`, given: text }
    }
  }
  const answer = (checked: Checked, given: object | string): OutboundResult => {
    const result = withGiven(checked, given)
    return reports ? reported(result, given) : result
  }
  return given => {
    if (typeof given === 'string') return reports ? reported(checkText(given), given) : checkText(given)
    if (given instanceof Uint8Array) return withGiven(UNDECLARED, given)
    const kind = dataKindOf(given)
    if (kind === 'plain') return answer(check(given, true), given)
    const text = writeJson(given)
    const written = check(bigIntegers === 'bigint' ? parseWithBigints(text) : JSON.parse(text), false)
    if (written.ok || kind === 'code') return answer(written, text)
    const dated = check(given, true)
    return answer(dated.ok ? dated : written, text)
  }
}

/** For report mode: sends the message itself, and names the fields that would be stripped. */
function reported(result: OutboundResult, given: object | string): OutboundResult {
  if (!result.ok || result.value === given) return result
  const fields = undeclaredFields(read(given), read(result.value))
  if (fields === null) return { ok: true, value: given }
  return { ok: false, detail: `fields that the schema does not declare: ${fields}`, given }
}

const read = (message: object | string): unknown => (typeof message === 'string' ? parsed(message) : message)

/** A message of a declared type. */
interface Declared {
  readonly type: string
  readonly schema: SchemaCheck
  readonly value: object
}

/**
 * Judges a text of the app by the digits in it. It leaves byte for byte, unless fields are stripped, values are
 * transformed, or two parsers could read it differently. Then it is written again, with its numbers unchanged.
 */
function judgeText(text: string, { type, schema, value }: Declared, bigIntegers: BigIntegers): OutboundResult {
  const isClear = hasOneReading(text, value)
  const mode = isClear ? bigIntegers : 'refuse'
  const numbers = checkNumbers(text, value, mode)
  if (!numbers.ok) return { ok: false, detail: `${type}: ${shownPath(numbers.path)}: ${numbers.fault}`, given: text }
  const seen = (whole: object): object =>
    numbers.big && mode === 'text' && schema.judgesBigints !== true ? (withDigits(whole) as object) : whole
  const input = seen(value)
  const checked = checkBy(schema, type, input)
  if (!checked.ok) return { ...checked, given: text }
  if (numbers.near) {
    const beside = checkBy(schema, type, seen(withNeighbours(text, mode)))
    if (!beside.ok) return { ...beside, given: text }
  }
  const isSent = isClear && isAsSent(input, checked.value, () => seen(parseAgain(text, mode)))
  return { ok: true, value: isSent ? text : alteredText({ value: checked.value, text }, true) }
}

type Checked = { readonly ok: true; readonly value: object } | { readonly ok: false; readonly detail: string }

const UNDECLARED: Checked = Object.freeze({ ok: false, detail: 'the type is not declared in message.outbound' })

const withGiven = (checked: Checked, given: object | string): OutboundResult =>
  checked.ok ? checked : { ...checked, given }

function checkBy(schema: SchemaCheck, type: string, value: object): Checked {
  const refused = (detail: string): Checked => ({ ok: false, detail: `${type}: ${detail}` })
  try {
    const result = schema(value)
    if (result instanceof Promise) {
      result.catch(() => {})
      return refused('the schema is asynchronous (or threw); message.outbound takes synchronous ones alone')
    }
    if (!result.ok) return refused(result.detail)
    const { value: checked } = result
    // A transform may return an object that JSON writes by code that no schema has seen.
    if (typeof checked === 'object' && checked !== null && dataKindOf(checked) !== 'code')
      return { ok: true, value: checked }
    return refused(
      'the schema answers no plain data, and JSON would write something else; answer objects of plain fields',
    )
  } catch (error) {
    return refused(`the schema threw ${error instanceof Error ? error.constructor.name : typeof error}`)
  }
}

/** The value of a text. Undefined if it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
