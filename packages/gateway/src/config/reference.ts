import { FILE } from './file-shape.ts'

/** Sections that the pages of the controls describe, not the reference. */
const POLICY = new Set(['handshake', 'message', 'lifetime', 'report', 'proxy'])

interface Node {
  readonly description?: string
  readonly properties?: { readonly [key: string]: Node }
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly required?: readonly string[]
}

/** Every key of the configuration and what it is for, as Markdown: `docs/gateway/reference.md`, from the table that reads it. */
export function configReference(): string {
  const rows: string[] = []
  const walk = (node: Node, path: string): void => {
    for (const part of [node, ...(node.anyOf ?? [])]) {
      for (const [key, child] of Object.entries(part.properties ?? {})) {
        if (key === '$schema') continue
        const at = path === '' ? key : `${path}.${key}`
        const must = part.required?.includes(key) === true ? ' **Required.**' : ''
        rows.push(`| \`${at}\` | ${(child.description ?? '').replaceAll('|', '\\|')}${must} |`)
        if (!POLICY.has(key)) walk(child, at)
      }
      if (typeof part.additionalProperties === 'object') walk(part.additionalProperties, `${path}.NAME`)
      if (part.items !== undefined) walk(part.items, `${path}[]`)
    }
  }
  walk(FILE.schema, '')
  return `# Every key of the configuration

Generated from the table that reads the file (\`packages/gateway/schema/write.ts\`). \`NAME\` is a name of your own. The
keys below \`handshake\`, \`message\` and \`lifetime\` are those of the library: [controls](../controls/). Times are words
(\`30 s\`, \`500 ms\`) or, from a second on, ms; sizes bytes or words (\`64 KiB\`).

| key | what it is |
|---|---|
${rows.join('\n')}
`
}
