import { createRequire } from 'node:module'
import { schemaError } from './schema-error.ts'
import type { JsonSchema, TypeBoxValidator } from '../model/schema-kinds.ts'

/** What is used of the optional peer `typebox`. */
export interface TypeBox {
  readonly compile: (context: { readonly [id: string]: unknown }, schema: JsonSchema) => TypeBoxValidator
  readonly hasFormat: (name: string) => boolean
}

let loaded: TypeBox | null = null

/**
 * Loads `typebox`, resolved from node_modules, never fetched. Synchronous, so that a policy is compiled in one call;
 * Node 22.12 and later load ES modules so. Throws a SchemaError for `type` where it is not installed.
 */
export function typebox(type: string, why: string): TypeBox {
  return (loaded ??= load(type, why))
}

function load(type: string, why: string): TypeBox {
  const require = createRequire(import.meta.url)
  try {
    const { Compile } = require('typebox/schema') as { readonly Compile: TypeBox['compile'] }
    const { Format } = require('typebox/format') as { readonly Format: { Has(name: string): boolean } }
    return { compile: (context, schema) => Compile(context, schema), hasFormat: name => Format.Has(name) }
  } catch (cause) {
    const remedy = 'Run `npm install typebox` (1.4 or later), or give a Standard Schema such as Zod or Valibot.'
    throw schemaError(type, `${why} needs the optional peer typebox, which did not load`, remedy, cause)
  }
}

/** Whether the installed typebox made a validator. What another Check does beside the schema it names cannot be seen. */
export function isOwnValidator(validator: object): boolean {
  try {
    const require = createRequire(import.meta.url)
    const made = ['typebox/schema', 'typebox/compile'].map(
      name => require(name) as { Compile(schema: JsonSchema): object },
    )
    const prototype: unknown = Object.getPrototypeOf(validator)
    const known = made.some(({ Compile }) => Object.getPrototypeOf(Compile({ type: 'null' })) === prototype)
    return known && !['Check', 'Schema', 'Type'].some(name => Object.hasOwn(validator, name))
  } catch {
    return false
  }
}
