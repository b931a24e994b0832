import { DENIALS as OTHERS, type DenialCode, type DenialRow } from '../model/denials.ts'
import { sentence } from '../model/facts.ts'
import type { ControlId, Denial } from '../model/verdict.ts'
import { DEFINITIONS } from './definitions.ts'
import type { DenialTexts } from '../controls/definition.ts'
import { RUNNER_DENIALS } from '../controls/run.ts'

const rowsOf = (control: ControlId, denials: DenialTexts): readonly (readonly [string, DenialRow])[] =>
  Object.entries(denials).map(([code, row]) => [code, Object.freeze({ control, ...row })] as const)

const rows = [
  ...DEFINITIONS.flatMap(({ id, denials }) => rowsOf(id, denials)),
  ...rowsOf('handshake/request', RUNNER_DENIALS),
]

/** All denials: one row for each code. `docs/codes.md` is generated from this table. */
export const DENIALS: Readonly<Record<DenialCode, DenialRow>> = Object.freeze({
  ...OTHERS,
  ...(Object.fromEntries(rows) as Partial<Record<DenialCode, DenialRow>>),
} as Record<DenialCode, DenialRow>)

/** The sentence for the operator about one denial. */
export function sentenceOf({ code, facts }: Denial): string {
  const { tells } = DENIALS[code]
  return tells === undefined ? String(facts['detail'] ?? '') : sentence(tells, facts)
}
