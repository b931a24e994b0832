import { readFileSync } from 'node:fs'
import { createGuard } from 'sallyport'
import { formatProblems } from '../config/config-error.ts'
import { readAsyncApi } from './asyncapi.ts'
import type { ExitCode, Terminal } from './terminal.ts'
import { COMMON, readArguments, UsageError } from './usage.ts'

export const IMPORT_HELP = `sallyport-gateway import ASYNCAPI [--outbound] [--discriminator type] > messages.json

Turns the messages of an AsyncAPI 3 document (YAML or JSON) into schemas by type, for \`message.schema: file:messages.json\`.
What the described server receives is what clients may send; --outbound gives what it sends, for \`message.outbound\`.

      --outbound            what the server sends, instead
      --discriminator KEY   the key that names a message's type; default type
      --json                problems for machines

It reads operations, messages and payloads as JSON Schema, with references within the document. It does not read version 2,
other documents (bundle first), Avro, Protobuf or message traits, and says so where it meets them.

Exit code: 0 well, 1 problems, 2 usage.
`

/** `import`: message schemas from AsyncAPI. */
export function importAsyncApi(args: readonly string[], terminal: Terminal): ExitCode {
  const { values, positionals } = readArguments(
    args,
    { ...COMMON, outbound: { type: 'boolean' }, discriminator: { type: 'string' } },
    1,
  )
  const [file] = positionals
  if (file === undefined) throw new UsageError('name the AsyncAPI document')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    terminal.err(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
    return 1
  }
  const discriminator = values.discriminator ?? 'type'
  const read = readAsyncApi(text, file, discriminator)
  if (!('inbound' in read)) {
    terminal.err(
      values.json === true
        ? JSON.stringify({ ok: false, problems: read }, null, 2)
        : formatProblems(read, 'the document'),
    )
    return 1
  }
  const schemas = values.outbound === true ? read.outbound : read.inbound
  const fault = faultOf(schemas, discriminator)
  if (fault !== null) {
    terminal.err(`${file}: ${fault}`)
    return 1
  }
  for (const note of read.notes) terminal.err(`note: ${note}`)
  terminal.out(JSON.stringify(schemas, exactly, 2))
  return 0
}

const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => object }

/** Writes a bigint of a schema as the integer that it is. */
function exactly(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' && rawJSON !== undefined ? rawJSON(String(value)) : value
}

/** What the library says to the schemas; null where it compiles them all. */
function faultOf(schema: { readonly [type: string]: object }, discriminator: string): string | null {
  if (Object.keys(schema).length === 0) return 'no message in that direction'
  try {
    createGuard({
      handshake: { origin: { allow: ['https://import.invalid'] }, session: () => null },
      message: {
        schema: schema as { readonly [type: string]: { readonly [keyword: string]: unknown } },
        discriminator,
      },
    })
    return null
  } catch (error) {
    return (error as Error).message
  }
}
