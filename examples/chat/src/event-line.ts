import type { SallyEvent } from 'sallyport'
import type { Notice } from './door.ts'
import { plain } from './terminal-text.ts'
import type { Paint } from './terminal-text.ts'

const COLOURS = { info: 'cyan', warn: 'yellow', error: 'red', critical: 'red' } as const

/** One event on one line: time, level, control, code, origin, what to do. */
export function eventLine(event: SallyEvent, paint: Paint): string {
  const time = clock(new Date(event.datetime))
  const level = paint(COLOURS[event.level], event.level.padEnd(8))
  const control = (event.control ?? event.kind).padEnd(22)
  const code = event.code === undefined ? '' : paint('bold', event.code)
  const origin = event.origin === undefined ? '' : paint('underline', plain(event.origin))
  const closed = event.close_code === undefined ? '' : `closed with ${event.close_code}`
  const times = event.count === undefined || event.count <= 1 ? '' : `×${event.count}`
  const reported = event.enforced === false ? '(report mode: let through)' : ''
  const advice = event.remedy ?? (event.code === undefined ? event.description : '')
  const words = [code, origin, closed, times, reported, advice === '' ? '' : paint('dim', plain(advice, 200))]
  return `${paint('dim', time)}  ${level}  ${control}  ${words.filter(word => word !== '').join('  ')}`
}

/** A notice on one line, in the same columns. */
export function noticeLine({ from, origin, text }: Notice, paint: Paint, now: Date): string {
  const level = from === 'attacker' ? paint('red', 'loot'.padEnd(8)) : paint('magenta', 'open'.padEnd(8))
  return `${paint('dim', clock(now))}  ${level}  ${from.padEnd(22)}  ${paint('underline', plain(origin))}  ${plain(text)}`
}

function clock(date: Date): string {
  return date.toTimeString().slice(0, 8)
}
