import type { Budget } from '../store/store.ts'
import { openChild, refuse } from './fields.ts'
import type { Fields } from './fields.ts'
import { readCount, readDuration } from './scalars.ts'

/** An amount per time at a key: `{ attempts: 30, per: '1 minute', burst: 30 }`; said in part, it says nothing. */
export function readBudget(parent: Fields, key: string, unit: string, fallback: Budget): Budget {
  if (parent.get(key) === undefined) return fallback
  const section = openChild(parent, key, [unit, 'per', 'burst'])
  const told = parent.findings.problems.length
  const readable = [unit, 'per', 'burst'].some(name => section.get(name) !== undefined)
  if (readable || told === parent.findings.problems.length) {
    if (section.get(unit) === undefined)
      refuse(section, unit, 'nothing', 'how many?', `write ${unit}: ${fallback.amount}`)
    if (section.get('per') === undefined) refuse(section, 'per', 'nothing', 'per what time?', "write per: '1 minute'")
  }
  const amount = readCount(section, unit, fallback.amount)
  return Object.freeze({
    amount,
    perMs: readDuration(section, 'per', fallback.perMs),
    burst: readCount(section, 'burst', amount),
  })
}
