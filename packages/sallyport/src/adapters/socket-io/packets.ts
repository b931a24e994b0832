import type { LiveConnection } from '../../connection/live-connection.ts'
import { compileSchema } from '../../controls/message/compile-schema.ts'
import type { MessageSubject } from '../../controls/message/message-control.ts'
import type { OwnMessage, OwnRule } from '../../controls/message/own-message.ts'
import type { Inside } from '../../guard/registry.ts'
import type { Policy } from '../../policy/types.ts'
import { isReported } from '../../model/reporting.ts'
import { type ControlId, type Denial, deny, type Verdict } from '../../model/verdict.ts'
import type { SchemaCheck, SchemaOptions, SchemaResult } from '../../schema/schema-result.ts'
import type { Packet, SocketIoOptions } from './server.ts'
import { isPlain, messageOf, PACKET, payloadOf } from './text.ts'

/** A packet on its way through a door. */
export interface PacketCase {
  /** Judges it. Afterwards `packet.data` is what passes on. */
  judge(live: LiveConnection): Verdict | Promise<Verdict>
  /** Replaces what came by what was checked. */
  replace(): void
}

/** The packets of Socket.IO, as messages for the door. */
export interface PacketDoors {
  /** `asked` is the name of the event that an acknowledgement answers; undefined where nobody asked. */
  open(packet: Packet, text: string, asked: string | undefined): PacketCase
  /** Reports a denial that no door made. Answers whether it is enforced. */
  denied(control: ControlId, denial: Denial, live: LiveConnection): boolean
  received(bytes: number): void
  readonly now: () => number
  readonly dropsOverRate: boolean
}

const UNASKED = deny('SALLY_MESSAGE_TYPE', { reason: 'socket-io', fault: 'an acknowledgement that nobody asked for' })
const NO_AUTH = deny('SALLY_MESSAGE_TYPE', {
  reason: 'socket-io',
  fault: 'auth is not empty, and guardSocketIo was given no schema for it',
})
const NO_ANSWER = deny('SALLY_MESSAGE_TYPE', {
  reason: 'socket-io',
  fault: 'an acknowledgement without a schema is not empty: see acknowledgements of guardSocketIo',
})
const TOO_MANY: SchemaResult = Object.freeze({ ok: false, detail: 'more than one value' })

/** Compiles the schemas of the options. Throws a SchemaError for a schema that cannot be used. */
export function createPacketDoors(inside: Inside, options: SocketIoOptions): PacketDoors {
  const { core, observer } = inside
  const { policy, context } = core
  const isEnforced = (control: ControlId): boolean => !isReported(policy, control)
  const opens = createCases(inside, options, isEnforced('message/schema'))
  return {
    open: opens,
    denied(control, denial, live) {
      const enforced = isEnforced(control)
      observer.denied(control, denial, enforced, live)
      return enforced
    },
    received: bytes => observer.received(bytes),
    now: context.now,
    dropsOverRate: policy.message.rate?.exceed === 'drop',
  }
}

/** `replaces` is false in report mode, which changes no message. */
function createCases(inside: Inside, options: SocketIoOptions, replaces: boolean): PacketDoors['open'] {
  const { discriminator, schema } = inside.core.policy.message
  const { auth, answers } = compileOptions(options, inside.core.policy)
  const caseOf = (subject: MessageSubject | OwnMessage, replace: (value: unknown) => void): PacketCase => ({
    judge: live => inside.core.admitMessage(subject, live),
    replace: () => replaces && replace(subject.value),
  })
  /** A packet without a value, or one that is refused whatever it holds. */
  const bare = (bytes: number, refused: Denial | null): PacketCase =>
    caseOf({ ...subjectOf(null, bytes), own: { refused, schema: null } }, () => undefined)
  /** A packet with a value that its own schema judges. */
  const valued = (packet: Packet, payload: string, bytes: number, schema: OwnRule['schema']): PacketCase =>
    caseOf({ ...subjectOf(wrapped(payload), bytes), own: { refused: null, schema } }, value => unwrap(packet, value))

  const openAck = (packet: Packet, payload: string, bytes: number, asked: string | undefined): PacketCase => {
    const given = packet.data as readonly unknown[] | undefined
    if (asked === undefined) return bare(bytes, UNASKED)
    const expects = answers.get(asked) ?? null
    if (expects === null && (given === undefined || given.length === 0)) return bare(bytes, null)
    if (expects === null && schema !== null) return bare(bytes, NO_ANSWER)
    return valued(packet, payload || '[]', bytes, expects)
  }
  const openConnect = (packet: Packet, payload: string, bytes: number): PacketCase => {
    const isEmpty = packet.data === undefined || (isPlain(packet.data) && Object.keys(packet.data).length === 0)
    if (auth === null && isEmpty) return bare(bytes, null)
    if (auth === null && schema !== null) return bare(bytes, NO_AUTH)
    return valued(packet, payload || '{}', bytes, auth)
  }

  return (packet, text, asked) => {
    const bytes = Buffer.byteLength(text)
    if (packet.type === PACKET.event) {
      const message = messageOf(packet, payloadOf(text), discriminator)
      return caseOf(subjectOf(message, bytes), value => replaceArgument(packet, value, discriminator))
    }
    if (packet.type === PACKET.ack) return openAck(packet, payloadOf(text), bytes, asked)
    if (packet.type === PACKET.connect) return openConnect(packet, payloadOf(text), bytes)
    return bare(bytes, null)
  }
}

interface CompiledOptions {
  readonly auth: OwnRule['schema']
  readonly answers: ReadonlyMap<string, OwnRule['schema']>
}

function compileOptions({ auth, acknowledgements = {} }: SocketIoOptions, { message }: Policy): CompiledOptions {
  const options: SchemaOptions = {
    discriminator: null,
    unknownFields: message.schema?.unknownFields ?? 'strip',
    bigIntegers: message.format?.bigIntegers ?? 'refuse',
  }
  const answers = Object.entries(acknowledgements).map(([event, given]) => {
    const check = within(compileSchema(`acknowledgement of ${event}`, given, options), true)
    return [event, { name: 'acknowledgement', check }] as const
  })
  return {
    auth: auth === undefined ? null : { name: 'auth', check: within(compileSchema('auth', auth, options), false) },
    answers: new Map(answers),
  }
}

function subjectOf(text: string | null, bytes: number): MessageSubject {
  return { bytes, text, data: null, value: undefined, type: null }
}

/** JSON as the one value of an object, which `message/format` reads. */
function wrapped(payload: string): string {
  return `{"value":${payload}}`
}

/**
 * Checks the value in `{ value }` by its schema. An acknowledgement is a list of at most one value.
 */
function within(check: SchemaCheck, isList: boolean): SchemaCheck {
  const settle = (result: SchemaResult): SchemaResult =>
    result.ok ? { ok: true, value: { value: isList ? [result.value] : result.value } } : result
  const judge = (holder: object): SchemaResult | Promise<SchemaResult> => {
    const { value } = holder as { readonly value: unknown }
    const list = isList ? (value as readonly unknown[]) : [value]
    if (list.length > 1) return TOO_MANY
    const result = check(list[0] as object)
    return result instanceof Promise ? result.then(settle) : settle(result)
  }
  return Object.assign(judge, { judgesBigints: check.judgesBigints === true })
}

/** Replaces the payload that came by what was checked. */
function unwrap(packet: Packet, holder: unknown): void {
  packet.data = (holder as { readonly value: unknown }).value
}

/** Replaces the argument that came by what was checked. The type is added only if it came. */
function replaceArgument(packet: Packet, value: unknown, discriminator: string): void {
  const [name, came] = packet.data as readonly [unknown, unknown?]
  if (came === undefined) return
  const keeps = !isPlain(value) || (isPlain(came) && Object.hasOwn(came, discriminator))
  packet.data = [name, keeps ? value : without(value, discriminator)]
}

function without(value: { readonly [key: string]: unknown }, key: string): object {
  const { [key]: _left, ...rest } = value
  return rest
}
