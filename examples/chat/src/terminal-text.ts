import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** Colours text, or leaves it as it is. */
export type Paint = (format: Format, text: string) => string

/** Colours for a stream: only on a terminal, and never where NO_COLOR is set. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const colour = stream.isTTY && (process.env['NO_COLOR'] ?? '') === ''
  return (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text)
}

/** A peer's text for a terminal: control characters could move the cursor or set colours, so none passes. */
export function plain(text: string, longest = 100): string {
  // oxlint-disable-next-line no-control-regex
  const safe = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
  return safe.length > longest ? `${safe.slice(0, longest - 1)}…` : safe
}
