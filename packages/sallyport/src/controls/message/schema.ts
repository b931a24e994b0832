import { isReported } from '../../model/reporting.ts'
import { PASS, deny } from '../../model/verdict.ts'
import type { Denial, Verdict } from '../../model/verdict.ts'
import { compileSchema } from './compile-schema.ts'
import type { MessageControl, MessageSubject } from './message-control.ts'
import type { BigIntegers, SchemaMap } from '../../model/policy.ts'
import { isAsSent, unwritable } from './message-text.ts'
import { parseAgain, withDigits, withNeighbours } from '../../schema/numbers.ts'
import { shownPath } from '../../schema/schema-result.ts'
import type { SchemaCheck, SchemaOptions, SchemaResult } from '../../schema/schema-result.ts'
import { undeclaredFields } from './undeclared-fields.ts'

const NOT_OBJECT: Denial = deny('SALLY_MESSAGE_TYPE', 'the message is not an object, so it names no type')
const UNKNOWN: Denial = deny('SALLY_MESSAGE_TYPE', 'the type is missing, is not text, or is not declared')
/** Undeclared types that report mode names, and the form of one that is safe to show. */
const NAMED_TYPES_MOST = 64
const PLAIN_TYPE = /^[A-Za-z][\w.:/-]{0,63}$/

/**
 * Denies a message whose type is not declared, or that the schema of its type refuses. What passes on is the
 * validated value without the fields that the schema does not declare, at any depth (CWE-915).
 */
export const schema: MessageControl = {
  id: 'message/schema',
  compile(whole) {
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
      // Before the verdict, so that report mode hands a refused message to its handler.
      subject.type = type
      const takesBytes = connection.takesBytes === true
      return judgeBySchema({ subject, type, check, bigIntegers, takesBytes, reports }, value)
    }
  },
}

/** Judges the value of a message that `message/format` let pass by one schema, and writes what passes on. */
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
  /** Whether the control only reports. */
  readonly reports: boolean
}

/** What the schema is asked about: with `bigIntegers: 'text'` a Standard Schema sees the text that it hands on. */
function inputOf({ subject, check, bigIntegers }: Run, value: object): object {
  return subject.big === true && bigIntegers === 'text' && check.judgesBigints !== true
    ? (withDigits(value) as object)
    : value
}

/** Compiles every schema of a map. A Map, so that `toString` and `__proto__` are no types. */
export function compileSchemas(types: SchemaMap, options: SchemaOptions): ReadonlyMap<string, SchemaCheck> {
  return new Map(Object.entries(types).map(([type, declared]) => [type, compileSchema(type, declared, options)]))
}

/** The type that a message names; null where it is missing, inherited or not text. */
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

/** The message with the doubles on the other side of its numbers: see `withNeighbours`. */
function neighbours(run: Run): object {
  return inputOf(run, withNeighbours(run.subject.text ?? '', run.bigIntegers))
}

function judgeBeside(run: Run, input: object, value: unknown, beside: SchemaResult): Verdict {
  return beside.ok ? settle(run, input, value) : refuse(run, beside.detail)
}

function refuse({ type }: Run, detail: string): Denial {
  return deny('SALLY_MESSAGE_INVALID', `${type}: ${detail}`)
}

/** Writes what passes on. */
function settle(run: Run, input: object, value: unknown): Verdict {
  const { subject, check, bigIntegers } = run
  const digits = subject.big === true && bigIntegers === 'text'
  // A schema that was asked about the text may have made bigints of its own.
  const passed = digits && check.judgesBigints === true ? withDigits(value) : value
  if (run.takesBytes) {
    const parse = (): unknown => inputOf(run, parseAgain(subject.text ?? '{}', bigIntegers))
    const altered = check.isPure === true ? value !== input : !isAsSent(input, value, parse)
    const odd = altered ? unwritable(passed, bigIntegers) : null
    if (odd !== null) return deny('SALLY_MESSAGE_VALUE', `${run.type}: ${shownPath(odd)}`)
    // What only reports changes nothing: the text goes on as it came.
    subject.altered = altered && !run.reports
  }
  subject.digits = digits && !(run.reports && run.takesBytes)
  subject.value = passed
  const fields = run.reports ? undeclaredFields(input, value) : null
  return fields === null ? PASS : deny('SALLY_MESSAGE_FIELDS', `${run.type}: ${fields}`)
}

/** Names undeclared types for the operator, a bounded number of them. */
function namer(): (type: string | null) => Denial {
  const named = new Map<string, Denial>()
  return type => {
    if (type === null || !PLAIN_TYPE.test(type)) return UNKNOWN
    let denial = named.get(type)
    if (denial === undefined) {
      if (named.size >= NAMED_TYPES_MOST) return UNKNOWN
      named.set(type, (denial = deny('SALLY_MESSAGE_TYPE', `the type ${type} is not declared`)))
    }
    return denial
  }
}
