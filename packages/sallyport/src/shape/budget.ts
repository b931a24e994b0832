import type { Budget } from '../model/store.ts'
import { openChild, refuse } from './fields.ts'
import type { Fields } from './fields.ts'
import { readCount, readDuration } from './scalars.ts'
import { isList, kindOf, show } from './shown.ts'

/** An amount per time at a key: `{ attempts: 60, per: '1 minute', burst: 40 }`. The amount and `per` are both required. */
export function readBudget(parent: Fields, key: string, unit: string, fallback: Budget): Budget {
  const value = parent.get(key)
  if (value === undefined) return fallback
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || isList(value)) {
    const amount = typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : fallback.amount
    const write = `write ${key}: { ${unit}: ${amount}, per: '1 minute' }`
    refuse(parent, key, isList(value) ? kindOf(value) : show(value), 'an amount and a time are meant here', write)
    return fallback
  }
  const told = parent.findings.problems.length
  const section = openChild(parent, key, [unit, 'per', 'burst'])
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
