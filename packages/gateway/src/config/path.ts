import { bearsSecret } from 'sallyport/internal'
import { show } from './shown-value.ts'

/** Keys and indexes from the root of a document. */
export type Path = readonly (string | number)[]

/** `routes.chat.handshake.origin.allow[0]`, with odd keys in quotes, as the library writes paths. */
export function pathText(path: Path): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (!/^[\w$~-]{1,48}$/.test(key) || bearsSecret(key)) text += `[${show(key)}]`
    else text += text === '' ? key : `.${key}`
  }
  return text
}

/**
 * Reads a path as the library writes it. A quoted key that was cut or escaped there is not told from another one: the
 * place above it stands for it.
 */
export function parsePath(text: string): Path {
  const path: (string | number)[] = []
  for (const [, index, quoted, key] of text.matchAll(/\[(\d+)\]|\['((?:[^']|'(?!\]))*)'\]|([^.[\]]+)/g)) {
    if (index !== undefined) path.push(Number(index))
    else path.push(quoted ?? key!)
  }
  return path
}
