import type { SchemaMap } from '../model/schema-kinds.ts'
import { learnTemplate } from './template-learn.ts'
import { match, MATCHED, type Template, valueOf } from './template-match.ts'
import { type ObjectPlan, planOf } from './template-plan.ts'

/**
 * Reads messages that differ from earlier ones only in their values. The bytes between must be equal; the values are
 * checked in place. What it lets pass is what `message/format` and `message/schema` would, with the same value, in
 * a fraction of the time. It never denies: they are asked about everything else.
 */
export interface MessageReader {
  /**
   * The message in `bytes[start..end)`, which is ASCII, where format and schema would certainly let it pass, with the
   * very same value and nothing stripped; null where they must be asked. Never throws, whatever the bytes. Without
   * `wantsValue` the value is left out, unless it is needed to judge the message: the bytes go on in its place.
   */
  read(bytes: Buffer, start: number, end: number, wantsValue?: boolean): ReadMessage | null
  /**
   * Learns from a text that format and schema let pass, and from what came of it: `input` is the value parsed, `value`
   * the one passed on. Bounded in number, size and work.
   */
  learn(text: string, type: string, input: unknown, value: unknown): void
}

/** A message that was read: its type, and its value, which is nobody else's; null where it was left out. */
export interface ReadMessage {
  readonly type: string
  readonly value: object | null
}

const TEMPLATES_MOST = 16
/** What may be compared in vain beyond the length of the message, in bytes. */
const SLACK = 512
/** Once all places are taken, or while nothing is to be learned, one in so many messages is looked at. */
const PATIENCE = 256
/** Hits are halved when one template has so many, so that what was once frequent gives way. */
const HITS_MOST = 1024

/** What of a policy says how messages are read. */
export interface ReaderPolicy {
  readonly message: {
    readonly format: {
      readonly data: string
      readonly depth: number
      readonly width: number
      readonly allowKeys: readonly string[]
    } | null
    readonly schema: { readonly types: SchemaMap; readonly discriminator: string } | null
  }
}

/** Makes the reader of a policy; null where no message could ever be read so. The policy is known to compile. */
export function createMessageReader({ message }: ReaderPolicy): MessageReader | null {
  const { format, schema } = message
  if (format === null || format.data !== 'json' || format.allowKeys.length > 0 || schema === null) return null
  const plans = new Map<string, ObjectPlan>()
  for (const [type, declared] of Object.entries(schema.types)) {
    const plan = planOf(declared)
    if (plan !== null) plans.set(type, plan)
  }
  if (plans.size === 0) return null
  const bounds = { depth: format.depth, width: format.width, discriminator: schema.discriminator }
  /** The most frequent first. */
  const templates: Template[] = []
  let pause = 1
  let wait = 0

  const halve = (): void => {
    for (const template of templates) template.hits >>>= 1
  }

  const hit = (template: Template, index: number): void => {
    if (++template.hits >= HITS_MOST) halve()
    if (index === 0) return
    const before = templates[index - 1]!
    if (before.hits >= template.hits) return
    templates[index - 1] = template
    templates[index] = before
  }

  const read = (bytes: Buffer, start: number, end: number, wantsValue = true): ReadMessage | null => {
    if (start < 0 || end > bytes.length) return null
    const view = viewOf(bytes)
    const offset = bytes.byteOffset
    let left = end - start + SLACK
    for (let index = 0; index < templates.length && left > 0; index++) {
      const template = templates[index]!
      if (template.length > end - start) continue
      const stop = match(template, view, offset + start, offset + end, bytes, offset)
      if (stop === MATCHED) {
        if (!wantsValue && !template.needsValue) {
          hit(template, index)
          return { type: template.type, value: null }
        }
        const value = valueOf(template, bytes, offset)
        if (value === null) return null
        hit(template, index)
        return { type: template.type, value }
      }
      left -= stop - offset - start
    }
    return null
  }

  const take = (template: Template): void => {
    if (templates.length < TEMPLATES_MOST) {
      templates.push(template)
      pause = 1
      return
    }
    let coldest = 0
    for (let index = 1; index < TEMPLATES_MOST; index++) {
      if (templates[index]!.hits <= templates[coldest]!.hits) coldest = index
    }
    templates.splice(coldest, 1)
    halve()
    templates.push(template)
    wait = PATIENCE
  }

  const learn = (text: string, type: string, input: unknown, value: unknown): void => {
    const plan = plans.get(type)
    if (plan === undefined) return
    if (wait > 0) {
      wait--
      return
    }
    const template = input === value ? learnTemplate(text, type, plan, bounds) : null
    if (template !== null && !templates.some(known => isSame(known, template)) && readsBack(template, text)) {
      take(template)
      return
    }
    pause = Math.min(pause * 2, PATIENCE)
    wait = pause
  }

  return { read, learn }
}

function isSame(one: Template, other: Template): boolean {
  return (
    one.length === other.length &&
    one.leaves.length === other.leaves.length &&
    one.leaves.every((leaf, index) => leaf === other.leaves[index]) &&
    one.literals.every(({ bytes }, index) => Buffer.compare(bytes, other.literals[index]!.bytes) === 0)
  )
}

/** Whether the text that a template was learned from comes out as JSON.parse reads it, its keys in the same order. */
function readsBack(template: Template, text: string): boolean {
  const bytes = Buffer.from(text, 'latin1')
  const { byteOffset } = bytes
  if (match(template, viewOf(bytes), byteOffset, byteOffset + bytes.length, bytes, byteOffset) !== MATCHED) return false
  const value = valueOf(template, bytes, byteOffset)
  return value !== null && JSON.stringify(value) === JSON.stringify(JSON.parse(text))
}

// Of the buffer seen last, an engine reads into one: to ask it for its memory costs more than to know it again.
let seen: Buffer = Buffer.alloc(0)
let view: DataView = new DataView(seen.buffer)

function viewOf(bytes: Buffer): DataView {
  if (bytes !== seen) {
    view = new DataView(bytes.buffer)
    seen = bytes
  }
  return view
}
