import type { Inside } from '../../guard/registry.ts'
import type { LiveConnection } from '../../connection/live-connection.ts'
import { compileSchema } from '../../controls/message/compile-schema.ts'
import { format } from '../../controls/message/format.ts'
import type { MessageConnection, MessageControl, MessageSubject } from '../../controls/message/message-control.ts'
import { rate } from '../../controls/message/rate.ts'
import { createMessageDoor } from '../../controls/message/run.ts'
import { judgeBySchema } from '../../controls/message/schema.ts'
import type { Schema } from '../../model/schema-kinds.ts'
import type { SchemaCheck, SchemaOptions, SchemaResult } from '../../schema/schema-result.ts'
import { size } from '../../controls/message/size.ts'
import type { Policy } from '../../model/policy.ts'
import { isReported } from '../../model/reporting.ts'
import { createDoor, type Door, type DoorCheck, type ObserveDenial } from '../../controls/run.ts'
import { type ControlId, type Denial, deny, PASS, type Verdict } from '../../model/verdict.ts'
import type { Packet, SocketIoOptions } from './server.ts'
import { isPlain, messageOf, PACKET, payloadOf } from './text.ts'

/** A packet on its way through a door. */
export interface PacketCase {
  /** Judges it. Afterwards `packet.data` is what passes on. */
  judge(live: LiveConnection): Verdict | Promise<Verdict>
  /** Puts what was checked in the place of what came. */
  replace(): void
}

/** The doors of Socket.IO's packets. */
export interface PacketDoors {
  /** `asked` is the name of the event that an acknowledgement answers; undefined where nobody asked. */
  open(packet: Packet, text: string, asked: string | undefined): PacketCase
  /** Tells of a denial that no door made. Answers whether it is enforced. */
  denied(control: ControlId, denial: Denial, live: LiveConnection): boolean
  received(bytes: number): void
  readonly now: () => number
  readonly dropsOverRate: boolean
}

/** What the doors judge. */
interface Subject extends MessageSubject {
  /** Why it is refused once it has paid for itself; null where the other controls decide. */
  readonly refused: Denial | null
  /** The schema of an `auth` or an acknowledgement, in an object with the key `value`; null where anything well formed passes. */
  readonly expects: SchemaCheck | null
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

/** Compiles the doors. Throws a SchemaError for a schema of the options that does not hold. */
export function createPacketDoors(inside: Inside, options: SocketIoOptions): PacketDoors {
  const { core, observer } = inside
  const { policy, parts } = core
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
    now: parts.now,
    dropsOverRate: policy.message.rate?.exceed === 'drop',
  }
}

/** `replaces` is false in report mode, which changes nothing of what it lets pass. */
function createCases(inside: Inside, options: SocketIoOptions, replaces: boolean): PacketDoors['open'] {
  const { discriminator, schema } = inside.core.policy.message
  const { auth, answers } = compileOptions(options, inside.core.policy)
  const { events, values, light } = compileDoors(inside)

  const caseOf = (
    door: Door<Subject, MessageConnection>,
    text: string | null,
    bytes: number,
    rest: Partial<Pick<Subject, 'refused' | 'expects'>>,
    replace: (value: unknown) => void,
  ): PacketCase => {
    const subject: Subject = {
      bytes,
      text,
      data: null,
      value: undefined,
      type: null,
      refused: null,
      expects: null,
      ...rest,
    }
    return {
      judge: live => door(subject, live),
      replace: () => replaces && replace(subject.value),
    }
  }
  /** A packet that holds nothing to judge, or that is refused whatever it holds. */
  const bare = (bytes: number, refused: Denial | null): PacketCase =>
    caseOf(light, null, bytes, { refused }, () => undefined)

  const openAck = (packet: Packet, payload: string, bytes: number, asked: string | undefined): PacketCase => {
    const given = packet.data as readonly unknown[] | undefined
    if (asked === undefined) return bare(bytes, UNASKED)
    const expects = answers.get(asked) ?? null
    if (expects === null && (given === undefined || given.length === 0)) return bare(bytes, null)
    if (expects === null && schema !== null) return bare(bytes, NO_ANSWER)
    return caseOf(values, wrapped(payload || '[]'), bytes, { expects }, value => unwrap(packet, value))
  }
  const openConnect = (packet: Packet, payload: string, bytes: number): PacketCase => {
    const isEmpty = packet.data === undefined || (isPlain(packet.data) && Object.keys(packet.data).length === 0)
    if (auth === null && isEmpty) return bare(bytes, null)
    if (auth === null && schema !== null) return bare(bytes, NO_AUTH)
    return caseOf(values, wrapped(payload || '{}'), bytes, { expects: auth }, value => unwrap(packet, value))
  }

  return (packet, text, asked) => {
    const bytes = Buffer.byteLength(text)
    if (packet.type === PACKET.event) {
      const message = messageOf(packet, payloadOf(text), discriminator)
      return caseOf(events, message, bytes, {}, value => replaceArgument(packet, value, discriminator))
    }
    if (packet.type === PACKET.ack) return openAck(packet, payloadOf(text), bytes, asked)
    if (packet.type === PACKET.connect) return openConnect(packet, payloadOf(text), bytes)
    return bare(bytes, null)
  }
}

interface CompiledOptions {
  readonly auth: SchemaCheck | null
  readonly answers: ReadonlyMap<string, SchemaCheck>
}

function compileOptions({ auth, acknowledgements = {} }: SocketIoOptions, { message }: Policy): CompiledOptions {
  const options: SchemaOptions = {
    discriminator: null,
    unknownFields: message.schema?.unknownFields ?? 'strip',
    bigIntegers: message.format?.bigIntegers ?? 'refuse',
  }
  const compile = (name: string, given: Schema, isList: boolean): SchemaCheck =>
    within(compileSchema(name, given, options), isList)
  const answers = Object.entries(acknowledgements).map(
    ([event, given]) => [event, compile(`acknowledgement of ${event}`, given, true)] as const,
  )
  return { auth: auth === undefined ? null : compile('auth', auth, false), answers: new Map(answers) }
}

/** The doors of events, of values with a schema of their own, and of packets that hold nothing. */
function compileDoors({
  core,
  observer,
}: Inside): Readonly<Record<'events' | 'values' | 'light', Door<Subject, MessageConnection>>> {
  const { policy, parts } = core
  const observe: ObserveDenial<MessageSubject, MessageConnection> = (control, denial, enforced, _subject, live) =>
    observer.denied(control, denial, enforced, live as LiveConnection)
  const doorOf = (
    controls: readonly MessageControl[],
    check: (subject: Subject) => Verdict | Promise<Verdict>,
  ): Door<Subject, MessageConnection> => {
    const checks: DoorCheck<Subject, MessageConnection>[] = controls.flatMap(control => {
      const compiled = control.compile(policy, parts)
      return compiled === null ? [] : [{ id: control.id, check: compiled }]
    })
    checks.push({ id: 'message/schema', check })
    const { report, timeoutMs } = policy
    return createDoor<Subject, MessageConnection>({ checks, report, timeoutMs, observe, timers: parts.runtime })
  }
  const bigIntegers = policy.message.format?.bigIntegers ?? 'refuse'
  const reports = isReported(policy, 'message/schema')
  /** `message/format` has read the value inside an object. */
  const judgeValue = (subject: Subject): Verdict | Promise<Verdict> => {
    const { expects: check, value, text } = subject
    if (check === null) return PASS
    const type = text?.startsWith('{"value":[') === true ? 'acknowledgement' : 'auth'
    return judgeBySchema({ subject, type, check, bigIntegers, takesBytes: false, reports }, value as object)
  }
  return {
    events: createMessageDoor(policy, parts, observe),
    values: doorOf([size, rate, format], judgeValue),
    light: doorOf([size, rate], ({ refused }) => refused ?? PASS),
  }
}

/** JSON as the one value of an object, which `message/format` reads. */
function wrapped(payload: string): string {
  return `{"value":${payload}}`
}

/**
 * A check of `{ value }` by the schema of what is in it. An acknowledgement is a list, of which only one value may be given.
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

/** Puts what was checked in the place of the payload that came. */
function unwrap(packet: Packet, holder: unknown): void {
  packet.data = (holder as { readonly value: unknown }).value
}

/** Puts what was checked in the place of the argument that came. The type is not added, unless it came. */
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
