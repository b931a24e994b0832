import { DENIALS as OTHERS, type DenialCode, type DenialRow } from '../model/denials.ts'
import { sentence } from '../model/facts.ts'
import type { Denial } from '../model/verdict.ts'
import { DEFINITIONS } from './definitions.ts'
import type { DenialText } from '../controls/definition.ts'

const rows = DEFINITIONS.flatMap(({ id, denials }) =>
  Object.entries(denials).map(([code, row]) => [code, Object.freeze({ control: id, ...(row as DenialText) })] as const),
)

/** Every denial there is: one code, one row. `docs/codes.md` is generated from it. */
export const DENIALS: Readonly<Record<DenialCode, DenialRow>> = Object.freeze({
  ...OTHERS,
  ...(Object.fromEntries(rows) as Partial<Record<DenialCode, DenialRow>>),
} as Record<DenialCode, DenialRow>)

/** What a denial saw, as a sentence for the operator. */
export function sentenceOf({ code, facts }: Denial): string {
  const { tells } = DENIALS[code]
  return tells === undefined ? String(facts['detail'] ?? '') : sentence(tells, facts)
}
