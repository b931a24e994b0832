/** Greatest length of a line of a page. */
export const WIDTH = 120

/** Wraps each paragraph and list item of a Markdown page that has a line over 120 characters. Tables, code and HTML stay. */
export function wrapped(markdown: string): string {
  const out: string[] = []
  let paragraph: string[] = []
  const flush = (): void => {
    out.push(...(paragraph.some(line => line.length > WIDTH) ? filled(paragraph) : paragraph))
    paragraph = []
  }
  let fence: string | null = null
  for (const line of markdown.split('\n')) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? null
    if (fence !== null || mark !== null) {
      flush()
      out.push(line)
      if (fence === null) fence = mark
      else if (mark === fence) fence = null
    } else if (/^\s*$|^\s*\||^#|^\s*<|^\s*!\[/.test(line)) {
      flush()
      out.push(line)
    } else {
      if (START.test(line)) flush()
      paragraph.push(line)
    }
  }
  flush()
  return out.join('\n')
}

/** What begins a list item or a quote. */
const START = /^(\s*(?:[-*+]|\d+[.)]|>) +)/

function filled(paragraph: readonly string[]): string[] {
  const first = START.exec(paragraph[0]!)?.[1] ?? /^\s*/.exec(paragraph[0]!)![0]
  const quote = first.trim() === '>'
  const rest = quote ? first : ' '.repeat(first.length)
  const text = paragraph.map(line => (quote ? line.replace(/^\s*> ?/, '') : line).trim()).join(' ')
  const lines: string[] = []
  let line = first
  let empty = true
  for (const word of wordsOf(text.slice(quote ? 0 : first.trimStart().length))) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = `${rest}${word}`
    } else line += empty ? word : ` ${word}`
    empty = false
  }
  return [...lines, line]
}

/**
 * The words of a text. A span of code is one word, and so is the text of a short link. A word that would begin a list, a
 * heading, a quote or a table at the start of a line stays with the word before it.
 */
function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const word of text.match(/(?:`[^`]*`|\[[^\]]{1,50}\]\([^)]*\)|[^\s`[]|[`[])+/g) ?? []) {
    if (words.length > 0 && /^(?:[-*+|>]|#+|\d+[.)])$/.test(word)) words[words.length - 1] += ` ${word}`
    else words.push(word)
  }
  return words
}
