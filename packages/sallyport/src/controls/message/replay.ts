import { hash } from 'node:crypto'
import { isThenable } from '../../model/thenable.ts'
import { type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import { type Fields, refuse } from '../../shape/fields.ts'
import { duration } from '../../shape/kinds.ts'
import { type InputOf, key, openSection, type Section, type Shape } from '../../shape/shape.ts'
import { show } from '../../shape/shown.ts'
import { durationInWords } from '../../shape/words.ts'
import type { ControlContext } from '../context.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import { format } from './format.ts'
import type { MessageCheck, MessageConnection, MessageOf, MessageSubject } from './message-control.ts'
import { BESIDE_SCHEMA, isFieldName } from './schema-keys.ts'

/** `message.replay` of a parsed policy. */
export interface ReplaySection {
  /** The field that holds the nonce. Null if only the time is checked. */
  readonly nonce: string | null
  readonly time: string
  readonly windowMs: number
}

const WINDOW_MS = 30_000
const LONGEST_WINDOW_MS = 10 * 60_000
/** Most characters of a nonce. A UUID has 36, a SHA-256 in hex has 64. */
const NONCE_CHARS = 128

/** The name of a field at the top level of a message. */
const field: Shape<string | null, string> = {
  type: 'string',
  schema: { type: 'string' },
  read(fields, name, fallback) {
    const value = fields.get(name)
    if (value === undefined || isFieldName(value)) return value ?? fallback
    refuse(fields, name, show(value), 'not the name of a field', "write the key, such as 'sentAt'")
    return fallback
  },
  words: name => (name === null ? 'none' : `'${name}'`),
}

const KEYS = {
  nonce: key(
    field,
    null,
    `The field of each message that holds its nonce: text of 1 to ${NONCE_CHARS} characters, or a safe integer, that the user sends once. Without it a message that is sent again within \`window\` passes.`,
  ),
  time: key(
    field,
    null,
    'The field of each message that holds the time of the sender: a number, ms since the epoch, as `Date.now()` gives it.',
    { shown: '*required*' },
  ),
  window: key(
    duration(1000, LONGEST_WINDOW_MS),
    WINDOW_MS,
    'How far the time may be off, in both directions. A nonce is remembered until its message is too old to pass.',
    {
      because:
        'clocks that the system sets by the network are off by less than a second; the rest is for the way and for a queue of the page',
    },
  ),
}
export type ReplayInput = InputOf<typeof KEYS> & { readonly time: string }

const DENIALS = {
  SALLY_MESSAGE_REPLAYED: {
    action: 'reply',
    level: 'warn',
    event: 'sequence_fail',
    requirements: ['WS-33'],
    means: 'this user sent a message with the same nonce before',
    remedy:
      'Make a new nonce for each message: `crypto.randomUUID()`. A page that sends a message again because its answer was lost learns by this code that the first one arrived. Seen without a client bug: somebody replays.',
    tells: 'the nonce in the field {field} was used before',
  },
  SALLY_MESSAGE_STALE: {
    action: 'reply',
    level: 'warn',
    event: 'sequence_fail',
    requirements: ['WS-33'],
    means: 'the time of the message is outside the window',
    remedy:
      "The client's clock is off, the message waited for long, or somebody replays it. Let the page add the offset of its clock (docs/controls/message/replay.md), or raise `message.replay.window`.",
    tells: {
      late: 'the time in the field {field} is {offMs} ms behind the clock of this server, more than {windowMs}',
      early: 'the time in the field {field} is {offMs} ms ahead of the clock of this server, more than {windowMs}',
    },
  },
  SALLY_MESSAGE_REPLAYABLE: {
    action: 'reply',
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['WS-33'],
    means: 'the message lacks its nonce or its time, or one of them is not in the form that it must have',
    remedy: 'Send both fields with each message; see `message.replay`.',
    tells: {
      'no-object': 'the message is not an object, so it has neither nonce nor time',
      nonce: 'the field {field} is missing, or is no text of 1 to {most} characters and no safe integer',
      time: 'the field {field} is missing, or is no number of ms since the epoch',
    },
  },
} as const
const deny = denying(DENIALS)

const NOT_OBJECT: Denial = deny('SALLY_MESSAGE_REPLAYABLE', { reason: 'no-object' })

/** Nonce and time of a message, as it was sent. */
interface Sent {
  readonly nonce: string | number | null
  readonly time: number
}

/** The fields that {@link replayFields} found in each message that is in the door now. */
const found = new WeakMap<MessageSubject, Sent>()

type Whole = MessageOf<{ replay: ReplaySection | null }>

/**
 * Denies a message that this user sent before, or whose time is outside the window. It runs last: a message that another
 * control refuses does not use up its nonce. A nonce belongs to its user: no user can use up a nonce of another.
 */
export const replay = defineControl({
  id: 'message/replay',
  denies: "a message's nonce was seen before, or its time is outside the window",
  default: 'off until declared',
  notProbed: 'the names of the fields are known to the app alone',
  keys: KEYS,
  example: "replay: { nonce: 'nonce', time: 'sentAt' }",
  denials: DENIALS,
  read(message, earlier): ReplaySection | null {
    if (message.get('replay') === undefined) return null
    const section = openSection(message, { id: 'message/replay', keys: KEYS })
    const nonce = section.value('nonce')
    const time = section.value('time')
    const windowMs = section.value('window')
    const data = earlier.sectionOf(format)?.data ?? 'off'
    if (data !== 'json') {
      const fault = `message.replay reads the fields of JSON, and message.format is ${data}`
      section.refuse(
        'time',
        show(section.said('time')),
        fault,
        "remove message.replay, or write format: { data: 'json' }",
      )
    }
    refuseNames(section, message, nonce)
    return time === null ? null : Object.freeze({ nonce, time, windowMs })
  },
  effective(section) {
    if (section === null) return off('not declared: a message that is sent again passes')
    const { nonce, time, windowMs } = section
    const within = `${time} within ${durationInWords(windowMs)}`
    return on(nonce === null ? `${within}; no nonce: a replay within that time passes` : `${nonce} once, ${within}`)
  },
  compile(whole: Whole & { readonly name: string }, { store, now }: ControlContext): MessageCheck | null {
    const policy = whole.message.replay
    if (policy === null) return null
    const { windowMs } = policy
    const judge = (first: boolean): Verdict =>
      first ? PASS : deny('SALLY_MESSAGE_REPLAYED', { field: policy.nonce ?? '' })
    return (subject, connection) => {
      const sent = found.get(subject)
      // Only in report mode a message without its fields comes here. It was reported.
      if (sent === undefined) return PASS
      const ahead = sent.time - now()
      if (Math.abs(ahead) > windowMs) return stale(policy, ahead)
      if (sent.nonce === null) return PASS
      // One window longer than the message is accepted, because the clocks of two nodes may differ by that much.
      const first = store.once(keyOf(whole.name, connection, sent.nonce), Math.ceil(ahead) + 2 * windowMs, sent.time)
      return isThenable(first) ? first.then(judge) : judge(first)
    }
  },
})

/**
 * The first step of `message/replay`: reads both fields before `message/schema` strips or transforms them. Denies a
 * message without them.
 */
export const replayFields = {
  id: 'message/replay' as const,
  compile({ message }: Whole): MessageCheck | null {
    const policy = message.replay
    if (policy === null) return null
    const noNonce = deny('SALLY_MESSAGE_REPLAYABLE', { reason: 'nonce', field: policy.nonce ?? '', most: NONCE_CHARS })
    const noTime = deny('SALLY_MESSAGE_REPLAYABLE', { reason: 'time', field: policy.time })
    return subject => {
      const value = sentValue(subject)
      if (typeof value !== 'object' || value === null) return NOT_OBJECT
      let nonce: Sent['nonce'] = null
      if (policy.nonce !== null) {
        const given = own(value, policy.nonce)
        if (!isNonce(given)) return noNonce
        nonce = given
      }
      const time = own(value, policy.time)
      if (typeof time !== 'number') return noTime
      found.set(subject, { nonce, time })
      return PASS
    }
  },
}

/** A message as it was sent. The fast path makes no value for a connection that takes bytes. */
function sentValue({ exact, text, value }: MessageSubject): unknown {
  return exact === true ? JSON.parse(text ?? 'null') : value
}

function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function isNonce(value: unknown): value is string | number {
  if (typeof value === 'string') return value !== '' && value.length <= NONCE_CHARS
  return Number.isSafeInteger(value)
}

function stale({ time: field, windowMs }: ReplaySection, ahead: number): Denial {
  const reason = ahead < 0 ? 'late' : 'early'
  return deny('SALLY_MESSAGE_STALE', { reason, field, offMs: Math.round(Math.abs(ahead)), windowMs })
}

/** The key is short for every user name. JSON separates 1 from '1', and marks the end of the policy's name. */
function keyOf(name: string, { session }: MessageConnection, nonce: string | number): string {
  return `message:${hash('sha256', JSON.stringify([name, session.user, nonce]), 'base64url')}`
}

/** The two fields must differ, and neither may be the field of the type. */
function refuseNames(section: Section<typeof KEYS>, message: Fields, nonce: string | null): void {
  const said = section.said('time')
  if (said === undefined) {
    const fault = nonce === null ? 'required key is missing' : 'a nonce alone can be replayed once it is forgotten'
    section.refuse('time', 'nothing', fault, "write time: 'sentAt', the field that holds the time of the sender")
  } else if (said === nonce) {
    section.refuse('time', show(said), 'the same field as nonce', "write another field, such as 'sentAt'")
  }
  const type = message.get('discriminator') ?? BESIDE_SCHEMA.discriminator.default
  for (const name of ['nonce', 'time'] as const) {
    if (section.said(name) !== type) continue
    section.refuse(name, show(type), 'this field names the type of a message', 'write another field')
  }
}
