import { type ConfigProblem } from '../config/config-error.ts'
import { readDocument } from '../config/document.ts'
import { type Path, pathText } from '../config/path.ts'
import { isObject } from '../config/shape.ts'

/** Message schemas of an AsyncAPI document, by type. */
export interface Imported {
  /** What clients may send: the operations that the described server receives. */
  readonly inbound: { readonly [type: string]: object }
  /** What the server may send. */
  readonly outbound: { readonly [type: string]: object }
  readonly notes: readonly string[]
}

/** References that lead to another reference. */
const MOST_HOPS = 32
const JSON_SCHEMA = /^application\/(?:schema\+(?:json|yaml)|vnd\.aai\.asyncapi(?:\+(?:json|yaml))?)(?:;|$)/

/**
 * Reads what a policy needs of an AsyncAPI 3 document: operations, their messages and payloads as JSON Schema, with
 * references within the document. It fetches nothing. What it does not read is a problem that says so: version 2,
 * references to other documents, payloads that are no JSON Schema (Avro, Protobuf), message traits.
 */
export function readAsyncApi(text: string, file: string, discriminator = 'type'): Imported | readonly ConfigProblem[] {
  const document = readDocument(text, { file, env: {}, verbatim: () => true })
  if (!('value' in document)) return document
  const problems: ConfigProblem[] = []
  const notes: string[] = []
  const tell = (path: Path, message: string, remedy: string): null => {
    problems.push({ file, ...document.at(path), path: pathText(path), value: '', message, remedy })
    return null
  }
  const root = document.value
  if (!isObject(root) || typeof root['asyncapi'] !== 'string') {
    tell([], 'no AsyncAPI document', 'it begins with asyncapi: 3.0.0')
    return problems
  }
  if (!root['asyncapi'].startsWith('3.')) {
    tell(
      ['asyncapi'],
      `version ${root['asyncapi'].slice(0, 12)} is not read`,
      'convert it: npx @asyncapi/cli convert --target-version=3.0.0',
    )
    return problems
  }

  /** Follows references within the document; null, and a problem, where there is no end. */
  const resolve = (
    from: Path,
    given: unknown,
  ): { readonly path: Path; readonly value: { readonly [key: string]: unknown } } | null => {
    let [path, value] = [from, given]
    for (let hops = 0; hops <= MOST_HOPS; hops++) {
      if (!isObject(value)) return tell(path, 'an object is meant here', 'see the AsyncAPI 3 specification')
      if (typeof value['$ref'] !== 'string') return { path, value }
      const target = pointerOf(value['$ref'])
      if (target === null)
        return tell(path, 'a reference to another document', 'bundle it first: npx @asyncapi/cli bundle')
      const found = lookUp(root, target)
      if (found === undefined) return tell(path, `nothing is at ${value['$ref'].slice(0, 60)}`, 'correct the reference')
      ;[path, value] = [target, found]
    }
    return tell(from, 'references without end', 'break the circle')
  }

  const messagesOf = (
    path: Path,
    operation: { readonly [key: string]: unknown },
  ): readonly (readonly [Path, unknown, string])[] => {
    const listed = operation['messages']
    if (Array.isArray(listed))
      return listed.map((one, index) => [[...path, 'messages', index], one, nameOf(one)] as const)
    const channel = resolve([...path, 'channel'], operation['channel'])
    const messages = channel?.value['messages']
    return isObject(messages)
      ? Object.entries(messages).map(([name, one]) => [[...channel!.path, 'messages', name], one, name] as const)
      : []
  }

  const payloadOf = (
    path: Path,
    message: { readonly [key: string]: unknown },
  ): { readonly path: Path; readonly value: { readonly [key: string]: unknown } } | null => {
    if (message['traits'] !== undefined)
      return tell([...path, 'traits'], 'message traits are not read', 'write what they add into the message')
    if (message['payload'] === undefined)
      return tell(path, 'a message without payload says nothing', 'write its payload')
    const payload = resolve([...path, 'payload'], message['payload'])
    if (payload === null || payload.value['schemaFormat'] === undefined) return payload
    const format = payload.value['schemaFormat']
    if (typeof format === 'string' && JSON_SCHEMA.test(format))
      return resolve([...payload.path, 'schema'], payload.value['schema'])
    return tell(
      [...payload.path, 'schemaFormat'],
      'a payload that is no JSON Schema',
      'describe it as JSON Schema; Avro and Protobuf are not read',
    )
  }

  const inbound: { [type: string]: object } = {}
  const outbound: { [type: string]: object } = {}
  const operations = resolve(['operations'], root['operations'] ?? {})
  for (const [id, one] of Object.entries(operations?.value ?? {})) {
    const operation = resolve(['operations', id], one)
    if (operation === null) continue
    const { action } = operation.value
    if (action !== 'receive' && action !== 'send') {
      tell([...operation.path, 'action'], 'neither receive nor send', 'write receive for what clients send')
      continue
    }
    const into = action === 'receive' ? inbound : outbound
    for (const [path, reference, name] of messagesOf(operation.path, operation.value)) {
      const message = resolve(path, reference)
      const payload = message === null ? null : payloadOf(message.path, message.value)
      if (payload === null) continue
      const schema = bundle(payload.path, payload.value)
      if (schema === null) continue
      const type = typeIn(payload.value, discriminator, value => resolve(payload.path, value)?.value ?? null)
      if (type === null) notes.push(`${name}: its payload fixes no ${discriminator}; it is taken for '${name}'`)
      into[type ?? name] = type === null ? withType(schema, discriminator, name) : schema
    }
  }
  if (problems.length === 0 && Object.keys(inbound).length === 0) {
    tell(['operations'], 'no operation receives a message', 'describe the server: what clients send is action: receive')
  }
  return problems.length > 0 ? problems : { inbound, outbound, notes }

  /** The schema with what it refers to beside it, under `$defs`. */
  function bundle(path: Path, schema: { readonly [key: string]: unknown }): { [key: string]: unknown } | null {
    const defs: { [name: string]: unknown } = {}
    const names = new Map<string, string>()
    const told = problems.length
    const walk = (at: Path, value: unknown): unknown => {
      if (Array.isArray(value)) return value.map((item, index) => walk([...at, index], item))
      if (!isObject(value)) return value
      return Object.fromEntries(
        Object.entries(value)
          .filter(([key]) => !key.startsWith('x-'))
          .map(([key, entry]) => [
            key,
            key === '$ref' && typeof entry === 'string' ? reference(at, entry) : walk([...at, key], entry),
          ]),
      )
    }
    const reference = (at: Path, ref: string): string => {
      const target = pointerOf(ref)
      if (target === null) {
        tell(at, 'a reference to another document', 'bundle it first: npx @asyncapi/cli bundle')
        return ref
      }
      const known = names.get(ref)
      if (known !== undefined) return `#/$defs/${known}`
      const name = uniqueName(String(target.at(-1) ?? 'root'), defs)
      names.set(ref, name)
      defs[name] = true
      const found = lookUp(root, target)
      if (found === undefined) tell(at, `nothing is at ${ref.slice(0, 60)}`, 'correct the reference')
      defs[name] = walk(target, found)
      return `#/$defs/${name}`
    }
    const whole = walk(path, schema) as { [key: string]: unknown }
    if (problems.length > told) return null
    return Object.keys(defs).length === 0
      ? whole
      : { ...whole, $defs: { ...(whole['$defs'] as object | undefined), ...defs } }
  }
}

/** `#/components/schemas/Chat` as keys; null for another document. */
function pointerOf(reference: string): Path | null {
  if (!reference.startsWith('#/')) return null
  try {
    return reference
      .slice(2)
      .split('/')
      .map(part => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    return null
  }
}

function lookUp(root: unknown, path: Path): unknown {
  let value = root
  for (const key of path) {
    if (Array.isArray(value) && /^\d+$/.test(String(key))) value = value[Number(key)]
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key]
    else return undefined
  }
  return value
}

const nameOf = (reference: unknown): string =>
  String(
    (isObject(reference) && typeof reference['$ref'] === 'string' ? pointerOf(reference['$ref'])?.at(-1) : null) ??
      'message',
  )

function uniqueName(name: string, taken: object): string {
  const plain = name.replaceAll(/[^\w.-]/g, '_') || 'schema'
  let unique = plain
  for (let count = 2; Object.hasOwn(taken, unique); count++) unique = `${plain}_${count}`
  return unique
}

/** The one value that the payload allows for the key of its type. */
function typeIn(
  payload: { readonly [key: string]: unknown },
  key: string,
  resolve: (value: unknown) => { readonly [key: string]: unknown } | null,
): string | null {
  const properties = payload['properties']
  const property = isObject(properties) && Object.hasOwn(properties, key) ? resolve(properties[key]) : null
  const value =
    property?.['const'] ??
    (Array.isArray(property?.['enum']) && property['enum'].length === 1 ? property['enum'][0] : undefined)
  if (typeof value === 'string') return value
  for (const part of Array.isArray(payload['allOf']) ? payload['allOf'] : []) {
    const inner = resolve(part)
    const found = inner === null ? null : typeIn(inner, key, resolve)
    if (found !== null) return found
  }
  return null
}

function withType(schema: { readonly [key: string]: unknown }, key: string, type: string): object {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return {
    ...schema,
    properties: { ...properties, [key]: { const: type } },
    required: [...new Set([...required, key])],
  }
}
