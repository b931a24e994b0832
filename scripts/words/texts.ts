/** A piece of prose of a file, in one line; `at` is the number of the line that it begins in. */
export interface Prose {
  readonly text: string
  readonly at: number
}

const lineOf = (source: string, index: number): number => source.slice(0, index).split('\n').length
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** Comments and texts of a module. Line comments that follow each other are one piece. `names`: texts of three words or more alone. */
export function proseOfModule(source: string, names: boolean): readonly Prose[] {
  const pieces = source.matchAll(
    /(?<block>\/\*[^]*?\*\/)|(?<line>(?:^|(?<=\s))\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*)|(?<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)/gm,
  )
  return [...pieces].flatMap(({ groups, index }) => {
    const { block, line, text } = groups as { block?: string; line?: string; text?: string }
    if (names && text === undefined) return []
    const plain =
      block?.replaceAll(/^\s*\/?\*+\/?/gm, ' ') ??
      line?.replaceAll(/^\s*\/\//gm, ' ') ??
      text!.slice(1, -1).replaceAll(/\$\{[^}]*\}/g, 'x')
    if (text !== undefined && plain.trim().split(/\s+/).length < 3) return []
    return [{ text: oneLine(plain.replaceAll('*/', '')), at: lineOf(source, index) }]
  })
}

/** The paragraphs, cells and headings of a Markdown page, without its code. */
export function proseOfPage(source: string): readonly Prose[] {
  const blank = (code: string): string => code.replaceAll(/[^\n]/g, '')
  const prose = source.replaceAll(/^\s*```[^]*?^\s*```$/gm, blank).replaceAll(/`[^`\n]*`/g, 'x')
  return [...prose.matchAll(/^[^\n|]+(?:\n[^\n|]+)*|[^\n|]+(?=\|)/gm)].map(({ 0: text, index }) => ({
    text: oneLine(text.replaceAll(/^\s*(?:[-*>#]|\d+\.)\s/gm, '. ')).replace(/^\. /, ''),
    at: lineOf(prose, index),
  }))
}
