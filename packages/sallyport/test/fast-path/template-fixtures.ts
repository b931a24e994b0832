import assert from 'node:assert/strict'
import { Type } from 'typebox'
import { format } from '../../src/controls/message/format.ts'
import type { MessageSubject } from '../../src/controls/message/message-control.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'
import { schema } from '../../src/controls/message/schema.ts'
import { createMessageReader, type MessageReader, type ReadMessage } from '../../src/fast-path/template.ts'
import type { Policy } from '../../src/policy/types.ts'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'
import { atOnce, connectionOf, policyWith, textOf } from '../message/door-fixtures.ts'

type Message = Policy['message']
type Change = {
  readonly format?: Partial<NonNullable<Message['format']>> | null
  readonly schema?: Partial<NonNullable<Message['schema']>>
}

export const Chat = Type.Object({
  type: Type.Literal('chat'),
  message: Type.String({ maxLength: 100_000 }),
  roomId: Type.Optional(Type.String()),
})
export const CHAT = '{"type":"chat","message":"hello","roomId":"lobby"}'
export const chat = (message: string): string => `{"type":"chat","message":"${message}","roomId":"lobby"}`

/** A policy of which the reader reads all it needs. */
export function policyFor(types: SchemaMap, change: Change = {}): Policy {
  return policyWith({
    format:
      change.format === null
        ? null
        : { data: 'json', depth: 32, width: 1000, allowKeys: [], bigIntegers: 'refuse', ...change.format },
    schema: { types, discriminator: 'type', unknownFields: 'strip', ...change.schema },
  })
}

/** Format and schema, and the reader that stands before them. */
export interface Pair {
  readonly reader: MessageReader
  /** What format and schema answer; `input` is what was parsed. */
  ask(text: string): { readonly passes: boolean; readonly input: unknown; readonly subject: MessageSubject }
  /** As a connection does: read, or ask and learn. Fails where reading lets pass what they would not. */
  take(text: string): ReadMessage | null
}

export function pairOf(policy: Policy): Pair {
  const reader = createMessageReader(policy)
  assert.ok(reader !== null, 'the policy has a reader')
  const checks = [format, schema].map(control => control.compile(policy)!)
  const connection = connectionOf()
  const ask: Pair['ask'] = text => {
    const subject = textOf(text)
    if (!atOnce(checks[0]!(subject, connection)).pass) return { passes: false, input: undefined, subject }
    const input = subject.value
    return { passes: atOnce(checks[1]!(subject, connection)).pass, input, subject }
  }
  return {
    reader,
    ask,
    take(text) {
      const left = read(reader, text, false)
      const found = read(reader, text)
      const { passes, input, subject } = ask(text)
      if (found !== null) {
        assert.ok(passes, `read what is denied: ${text}`)
        assert.equal(found.type, subject.type)
        assert.deepStrictEqual(found.value, subject.value)
        assert.equal(JSON.stringify(found.value), JSON.stringify(subject.value), 'the order of the keys')
        assert.equal(left?.type, found.type)
        if (left?.value === null)
          assert.deepStrictEqual(subject.value, JSON.parse(text), 'the bytes go on: nothing is stripped')
        else assert.deepStrictEqual(left?.value, found.value)
      } else {
        assert.equal(left, null, 'with or without its value')
        if (passes) reader.learn(text, subject.type!, input, subject.value)
      }
      return found
    },
  }
}

/** A pair that has learned from a text. */
export function taught(types: SchemaMap, text: string, change: Change = {}): Pair {
  const pair = pairOf(policyFor(types, change))
  assert.ok(pair.ask(text).passes, `passes: ${text}`)
  assert.equal(pair.take(text), null, 'nothing is known yet')
  return pair
}

/** A pair whose only type is `t`, with one field `v`, that has learned from `{"type":"t","v":<token>}`. */
export function taughtLeaf(leaf: Schema, token: string): (token: string) => 'read' | 'asked, passes' | 'asked, denied' {
  const types = { t: { type: 'object', required: ['v'], properties: { type: { const: 't' }, v: leaf } } }
  const pair = taught(types, `{"type":"t","v":${token}}`)
  return other => {
    const text = `{"type":"t","v":${other}}`
    if (pair.take(text) !== null) return 'read'
    return pair.ask(text).passes ? 'asked, passes' : 'asked, denied'
  }
}

/** Reads a text as it lies in the middle of other bytes, at every alignment in turn. */
export function read(reader: MessageReader, text: string, wantsValue?: boolean): ReadMessage | null {
  const start = 5 + (turn++ & 3)
  const bytes = Buffer.alloc(start + text.length + 9, '"')
  const end = start + bytes.write(text, start, 'latin1')
  return reader.read(bytes, start, end, wantsValue)
}

let turn = 0

/** What was parsed and what is passed on, where nothing was stripped. */
export function twice(value: unknown): [unknown, unknown] {
  return [value, value]
}
