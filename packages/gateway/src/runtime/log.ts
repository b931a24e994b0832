import { destination, type Logger, pino, stdTimeFunctions } from 'pino'
import type { LogConfig } from '../model/config.ts'

/**
 * The gateway's log on standard output: one JSON object a line, or lines for people. Whole before the process ends: it
 * is written at once. Events of the guards come as they are: redacted and bounded by the library.
 */
export function createLog({ level, format }: LogConfig, name: string): Logger {
  // Whoever read the log is gone: no reason to end who serves.
  if (format === 'text') process.stdout.on('error', () => {})
  const stream =
    format === 'json'
      ? destination({ fd: 1, sync: true })
      : { write: (line: string): void => void process.stdout.write(readable(line)) }
  return pino(
    {
      level,
      timestamp: stdTimeFunctions.isoTime,
      base: { pid: process.pid, app: name },
      formatters: { level: label => ({ level: label }) },
    },
    stream,
  )
}

/** Fields that a line for people does not repeat. */
const SILENT = new Set([
  'level',
  'time',
  'pid',
  'app',
  'msg',
  'datetime',
  'appid',
  'event',
  'description',
  'severity',
  'kind',
])

/** As it is where it is plain; else quoted and escaped, so that no terminal obeys it. */
const shown = (value: unknown): string =>
  typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
    ? value
    : JSON.stringify(value).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, unit => `\\u{${unit.codePointAt(0)!.toString(16)}}`)

/** `12:00:01 WARN  message  key=value …` */
export function readable(line: string): string {
  const fields = JSON.parse(line) as { readonly [key: string]: unknown }
  const rest = Object.entries(fields)
    .filter(([key, value]) => !SILENT.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${shown(value)}`)
  const { time, level, msg } = fields
  const message = shown(`${String(msg)} `).slice(1, -2)
  return `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${message}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`
}
