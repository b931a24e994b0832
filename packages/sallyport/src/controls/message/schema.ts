import { isReported, type Reporting } from '../../model/reporting.ts'
import { type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import { compileSchema } from './compile-schema.ts'
import type { MessageCheck, MessageOf, MessageSubject } from './message-control.ts'
import type { BigIntegers, SchemaMap } from '../../model/schema-kinds.ts'
import { isAsSent, unwritable } from './message-text.ts'
import { parseAgain, withDigits, withNeighbours } from '../../schema/numbers.ts'
import { shownPath } from '../../schema/schema-result.ts'
import type { SchemaCheck, SchemaOptions, SchemaResult } from '../../schema/schema-result.ts'
import { undeclaredFields } from './undeclared-fields.ts'

import { type Fields, refuse as tell } from '../../shape/fields.ts'
import { pathTo, show } from '../../shape/shown.ts'
import { listInWords } from '../../shape/words.ts'
import { defineControl, denying, type Earlier, off, on } from '../definition.ts'
import { ticket } from '../handshake/ticket.ts'
import { type FormatSection, format } from './format.ts'
import { PING_TYPE } from './heartbeat.ts'
import { BESIDE_SCHEMA, SCHEMA_KEYS } from './schema-keys.ts'
import { readSchema, type ReservedType } from './schema-section.ts'

/** `message.schema` of a parsed policy. */
export interface SchemaSection {
  readonly types: SchemaMap
  readonly discriminator: string
  readonly unknownFields: 'strip' | 'refuse'
}

/** The type of the first message in first-message mode. See docs/protocol.md. */
const FIRST: ReservedType = {
  type: 'auth',
  fault: "{ type: 'auth' } is the first message, which carries the ticket",
  remedy: 'choose another name, or another handshake.ticket.carrier',
}
const PING: ReservedType = {
  type: PING_TYPE,
  fault: 'the guard answers this type itself: it is the heartbeat of sallyport.v1',
  remedy: 'choose another name',
}

const DENIALS = {
  SALLY_MESSAGE_TYPE: {
    action: 'reply',
    close: 1008,
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['S5', 'S13', 'WS-16', 'WS-28'],
    means: 'the type of the message is not declared',
    remedy: 'Declare it in `message.schema`.',
    tells: {
      'no-object': 'the message is not an object, so it names no type',
      unknown: 'the type is missing, is not text, or is not declared',
      undeclared: 'the type {type} is not declared',
      'socket-io': '{fault}',
    },
  },
  SALLY_MESSAGE_INVALID: {
    action: 'reply',
    close: 1008,
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['S5', 'S13', 'WS-16', 'WS-28'],
    means: 'the message does not match the schema of its type',
    remedy: 'Compare the client with the schema; the detail names the path.',
    tells: '{type}: {fault}',
  },
  SALLY_MESSAGE_VALUE: {
    action: 'reply',
    close: 1008,
    level: 'error',
    event: 'input_validation_fail',
    requirements: ['S5'],
    means:
      'the schema made a value that text cannot carry (Map, Set, Date, bigint), and a listener of text would get it',
    remedy:
      'Take the messages with `guard.handle(socket, handlers)`, which hands values over as they are, or drop the transform. The detail names the field.',
    tells: '{type}: {path}',
  },
  SALLY_MESSAGE_FIELDS: {
    action: 'drop',
    level: 'info',
    event: 'input_validation_discrete_fail',
    requirements: ['S5', 'WS-16'],
    means: 'in report mode: the message holds fields that the schema of its type does not declare',
    remedy: 'Declare them in `message.schema`; once the control is enforced they are stripped.',
    tells: '{type}: {fields}',
  },
  SALLY_MESSAGE_STRIKES: {
    action: 'close',
    close: 1008,
    level: 'warn',
    event: 'malicious_attack_tool',
    requirements: ['S5', 'S10', 'WS-28'],
    means: 'too many refused messages on one connection',
    remedy: 'Raise `message.strikes`, or repair the client.',
    tells: '{count} refused messages within a minute',
  },
} as const
const deny = denying(DENIALS)

const NOT_OBJECT: Denial = deny('SALLY_MESSAGE_TYPE', { reason: 'no-object' })
const UNKNOWN: Denial = deny('SALLY_MESSAGE_TYPE', { reason: 'unknown' })
/** Most undeclared types that report mode names, and the form of a name that is safe to show. */
const NAMED_TYPES_MOST = 64
const PLAIN_TYPE = /^[A-Za-z][\w.:/-]{0,63}$/

/**
 * Denies a message if its type is not declared, or if the schema of its type refuses it. Passes the validated value on,
 * without the fields that the schema does not declare, at any depth (CWE-915).
 */
export const schema = defineControl({
  id: 'message/schema',
  denies: 'its type is unknown, or the schema of its type does not match; unknown fields are stripped (or refused)',
  default: `*must be decided*; unknown fields stripped, ${BESIDE_SCHEMA.strikes.default} strikes a minute`,
  meets: ['S6', 'S11', 'S14', 'WS-5', 'WS-19', 'WS-31', 'RFC-10.7'],
  mustDecide: true,
  keys: SCHEMA_KEYS,
  beside: BESIDE_SCHEMA,
  example: 'schema: { chat: ChatSchema }',
  denials: DENIALS,
  read(message, earlier): SchemaSection | null {
    const { discriminator, unknownFields } = BESIDE_SCHEMA
    const hasFirst = earlier.sectionOf(ticket)?.carrier === 'first-message'
    const types = readSchema(message, hasFirst ? [FIRST, PING] : [PING])
    if (types !== null) refuseUnparsed(message, earlier.sectionOf(format))
    const section = {
      discriminator: discriminator.shape.read(message, 'discriminator', discriminator.default),
      unknownFields: unknownFields.shape.read(message, 'unknownFields', unknownFields.default),
    }
    return types === null ? null : Object.freeze({ types, ...section })
  },
  readBeside: (message, earlier): { readonly discriminator: string; readonly strikes: number } => ({
    discriminator: discriminatorOf(message, earlier),
    strikes: BESIDE_SCHEMA.strikes.shape.read(message, 'strikes', BESIDE_SCHEMA.strikes.default),
  }),
  effective: section =>
    section === null
      ? off('any message')
      : on(
          `${listInWords(Object.keys(section.types))} by ${section.discriminator}; unknown fields: ${section.unknownFields}`,
        ),
  compile(
    whole: MessageOf<{ schema: SchemaSection | null; format: FormatSection | null }> & Reporting,
  ): MessageCheck | null {
    const policy = whole.message.schema
    if (policy === null) return null
    const reports = isReported(whole, 'message/schema')
    const unknown = reports ? namer() : () => UNKNOWN
    const bigIntegers = whole.message.format?.bigIntegers ?? 'refuse'
    const checks = compileSchemas(policy.types, { ...policy, bigIntegers })
    return (subject, connection) => {
      const { value } = subject
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_OBJECT
      const type = typeOf(value, policy.discriminator)
      const check = type === null ? undefined : checks.get(type)
      if (type === null || check === undefined) return unknown(type)
      // Written before the verdict, so that report mode can give a refused message to its handler.
      subject.type = type
      const takesBytes = connection.takesBytes === true
      return judgeBySchema({ subject, type, check, bigIntegers, takesBytes, reports }, value)
    }
  },
})

/** The key that names the type of a message, also where any message is accepted. */
export function discriminatorOf(message: Fields, earlier: Earlier): string {
  const { shape, default: fallback } = BESIDE_SCHEMA.discriminator
  return earlier.sectionOf(schema)?.discriminator ?? shape.read(message, 'discriminator', fallback)
}

/** A schema judges parsed JSON. Without parsing, every message would be refused, or none would be judged. */
function refuseUnparsed(message: Fields, format: FormatSection | null): void {
  if (format?.data === 'json') return
  const at: Fields = { ...message, path: pathTo(message.path, 'format') }
  const [key, value] = format === null ? ['dangerouslyOff', 'true'] : ['data', show(format.data)]
  tell(
    at,
    key,
    value,
    'message.schema looks at parsed JSON',
    `remove it, or write message.schema: { dangerouslyAcceptAnyMessage: true }`,
  )
}

/** Judges the value of an accepted message by one schema, and writes the value that is passed on. */
export function judgeBySchema(run: Run, value: object): Verdict | Promise<Verdict> {
  const input = inputOf(run, value)
  const result = run.check(input)
  return result instanceof Promise ? result.then(late => judgeAsync(run, input, late)) : judge(run, input, result)
}

/** One message on its way through its schema. */
export interface Run {
  readonly subject: MessageSubject
  readonly type: string
  readonly check: SchemaCheck
  readonly bigIntegers: BigIntegers
  readonly takesBytes: boolean
  /** Whether the control is in report mode. */
  readonly reports: boolean
}

/**
 * The value that the schema judges. With `bigIntegers: 'text'` a Standard Schema gets the text of the digits, because
 * it passes that text on.
 */
function inputOf({ subject, check, bigIntegers }: Run, value: object): object {
  return subject.big === true && bigIntegers === 'text' && check.judgesBigints !== true
    ? (withDigits(value) as object)
    : value
}

/** Compiles every schema of a map. The result is a Map, so that `toString` and `__proto__` are not types. */
export function compileSchemas(types: SchemaMap, options: SchemaOptions): ReadonlyMap<string, SchemaCheck> {
  return new Map(Object.entries(types).map(([type, declared]) => [type, compileSchema(type, declared, options)]))
}

/** The type in a message. Null if it is missing, inherited, or not a string. */
export function typeOf(value: object, discriminator: string): string | null {
  if (!Object.hasOwn(value, discriminator)) return null
  const type = (value as Record<string, unknown>)[discriminator]
  return typeof type === 'string' ? type : null
}

function judge(run: Run, input: object, result: SchemaResult): Verdict | Promise<Verdict> {
  if (!result.ok) return refuse(run, result.detail)
  if (run.subject.near !== true) return settle(run, input, result.value)
  const beside = run.check(neighbours(run))
  if (beside instanceof Promise) return beside.then(late => judgeBeside(run, input, result.value, late))
  return judgeBeside(run, input, result.value, beside)
}

async function judgeAsync(run: Run, input: object, result: SchemaResult): Promise<Verdict> {
  return judge(run, input, result)
}

/** The message with each number replaced by its neighbouring double: see `withNeighbours`. */
function neighbours(run: Run): object {
  return inputOf(run, withNeighbours(run.subject.text ?? '', run.bigIntegers))
}

function judgeBeside(run: Run, input: object, value: unknown, beside: SchemaResult): Verdict {
  return beside.ok ? settle(run, input, value) : refuse(run, beside.detail)
}

function refuse({ type }: Run, detail: string): Denial {
  return deny('SALLY_MESSAGE_INVALID', { type, fault: detail })
}

/** Writes the value that is passed on. */
function settle(run: Run, input: object, value: unknown): Verdict {
  const { subject, check, bigIntegers } = run
  const digits = subject.big === true && bigIntegers === 'text'
  // A schema that judged the numbers may have created bigints of its own.
  const passed = digits && check.judgesBigints === true ? withDigits(value) : value
  if (run.takesBytes) {
    const parse = (): unknown => inputOf(run, parseAgain(subject.text ?? '{}', bigIntegers))
    const altered = check.isPure === true ? value !== input : !isAsSent(input, value, parse)
    const odd = altered ? unwritable(passed, bigIntegers) : null
    if (odd !== null) return deny('SALLY_MESSAGE_VALUE', { type: run.type, path: shownPath(odd) })
    // A control in report mode changes nothing: the original text is passed on.
    subject.altered = altered && !run.reports
  }
  subject.digits = digits && !(run.reports && run.takesBytes)
  subject.value = passed
  const fields = run.reports ? undeclaredFields(input, value) : null
  return fields === null ? PASS : deny('SALLY_MESSAGE_FIELDS', { type: run.type, fields })
}

/** Names undeclared types for the operator. The number of names is bounded. */
function namer(): (type: string | null) => Denial {
  const named = new Map<string, Denial>()
  return type => {
    if (type === null || !PLAIN_TYPE.test(type)) return UNKNOWN
    let denial = named.get(type)
    if (denial === undefined) {
      if (named.size >= NAMED_TYPES_MOST) return UNKNOWN
      named.set(type, (denial = deny('SALLY_MESSAGE_TYPE', { reason: 'undeclared', type })))
    }
    return denial
  }
}
