import { stripVTControlCharacters, styleText } from 'node:util'

/** Where a command writes. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Colours a text; plain where the output is no terminal, or NO_COLOR is set. */
  paint(style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string): string
  readonly colour: boolean
}

/** 0: well. 1: problems, or a denial. 2: the command line was not understood, or the file could not be loaded. */
export type ExitCode = 0 | 1 | 2

const line = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
  return {
    colour,
    out: text => void process.stdout.write(line(text)),
    err: text => void process.stderr.write(line(text)),
    paint: (style, text) =>
      colour ? styleText(style, text, { validateStream: false }) : stripVTControlCharacters(text),
  }
}
