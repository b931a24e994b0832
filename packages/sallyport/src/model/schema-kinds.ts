import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { TypeBoxStatic } from './typebox-static.ts'

/**
 * A JSON Schema object (draft 2020-12 as TypeBox reads it). TypeBox types are such objects. The optional peer
 * dependency `typebox` compiles it at the start.
 */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A TypeBox type (`Type.Object(…)` of `typebox` 1.x): JSON Schema with an inferred static type. */
export interface TypeBoxType {
  readonly '~kind': string
}

/** A compiled Ajv validation function. */
export interface AjvValidate<T = unknown> {
  (data: unknown): data is T
  readonly schema: unknown
  readonly errors?: readonly { readonly instancePath: string; readonly keyword: string }[] | null
}

/** A compiled TypeBox validator (`Compile(schema)` of `typebox/compile` or `typebox/schema`). */
export interface TypeBoxValidator<T = unknown> {
  Check(value: unknown): value is T
  Errors(value: unknown): unknown
}

/**
 * The kinds of schema for a message: any Standard Schema (Zod, Valibot, ArkType), JSON Schema, compiled Ajv or compiled
 * TypeBox.
 */
export type Schema = StandardSchemaV1 | AjvValidate | TypeBoxValidator | TypeBoxType | JsonSchema

/** The type of a message that a schema accepts. */
export type OutputOf<T> =
  T extends StandardSchemaV1<unknown, infer Output>
    ? Output
    : T extends AjvValidate<infer Output>
      ? Output
      : T extends TypeBoxValidator<infer Output>
        ? Output
        : T extends TypeBoxType
          ? TypeBoxStatic<T>
          : { readonly [key: string]: unknown }

/** Schemas by message type. */
export interface SchemaMap {
  readonly [type: string]: Schema
}

/**
 * What happens to an integer of a message beyond ±(2^53 − 1), which a JavaScript number would round. Up to 64 bits,
 * signed or unsigned, it can arrive as a `bigint`, or as the text of its digits; else the message is refused.
 */
export type BigIntegers = 'refuse' | 'text' | 'bigint'
