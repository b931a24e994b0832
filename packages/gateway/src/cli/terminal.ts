import { stripVTControlCharacters, styleText } from 'node:util'

/** Where a command writes, and how. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Colour, on a terminal that shows it and has not asked for none (NO_COLOR). */
  paint(style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string): string
  readonly colour: boolean
}

/** What a command comes to: 0 is well, 1 is problems, 2 is a command line that was not understood. */
export type ExitCode = 0 | 1 | 2

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
  return {
    colour,
    out: text => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
    err: text => void process.stderr.write(text.endsWith('\n') ? text : `${text}\n`),
    paint: (style, text) =>
      colour ? styleText(style, text, { validateStream: false }) : stripVTControlCharacters(text),
  }
}
