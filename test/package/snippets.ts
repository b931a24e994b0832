import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A TypeScript fence of a document; `run` is the word after `run=` in its info string. */
export interface Snippet {
  readonly document: string
  readonly name: string
  readonly run: string | null
  readonly code: string
}

/** Every ```ts fence of a document, in order. */
export function snippetsOf(root: string, document: string): Snippet[] {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/^```ts(?: run=(\w+))?\n([^]*?)^```$/gm)].map(([, run, code], index) => ({
    document,
    name: `${document.replaceAll(/\W+/g, '-')}-${index + 1}`,
    run: run ?? null,
    code: code!,
  }))
}
