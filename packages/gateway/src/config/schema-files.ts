import { readDocument } from './document.ts'
import { type Path, pathText } from './path.ts'
import { type Reading, refuse } from './reading.ts'
import { isObject } from './shape.ts'

/**
 * Message schemas: inline, or `file:` and the name of a file of JSON or YAML; each by its type, or all of them in one file
 * (as `sallyport-gateway import` writes it). Nothing is ever fetched.
 */
export function readSchemas(reading: Reading, path: Path, value: unknown): unknown {
  const whole = readOne(reading, path, value)
  if (!isObject(whole)) return whole
  if (whole !== value) return whole
  return Object.fromEntries(
    Object.entries(whole).map(([type, schema]) => [type, readOne(reading, [...path, type], schema)]),
  )
}

function readOne(reading: Reading, path: Path, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (!value.startsWith('file:')) {
    refuse(reading, path, value, {
      message: 'not a schema',
      remedy: "write a JSON Schema, or the file that holds it: 'file:schemas/chat.json'",
    })
    return undefined
  }
  const file = value.slice('file:'.length)
  let text: string
  try {
    text = reading.readFile(file)
  } catch (error) {
    refuse(reading, path, value, {
      message: `the schema file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
      remedy: 'name a file that is there; a relative name is taken from the folder of the configuration',
    })
    return undefined
  }
  const document = readDocument(text, { file, env: {}, verbatim: () => true })
  if ('value' in document) return document.value
  const above = pathText(path)
  for (const problem of document)
    reading.problems.push({ ...problem, path: problem.path === '' ? above : `${above}.${problem.path}` })
  return undefined
}

/** Where `$` is the schema's own. */
export function isSchemaPath(path: Path): boolean {
  return path[0] === 'routes' && path[2] === 'message' && (path[3] === 'schema' || path[3] === 'outbound')
}
