import type { DenialTexts } from '../controls/definition.ts'
import { RUNNER_DENIALS } from '../controls/run.ts'
import type { DenialRow } from '../model/denials.ts'
import { sentence } from '../model/facts.ts'
import type { Code, ControlId, Denial } from '../model/verdict.ts'
import { DEFINITIONS } from './definitions.ts'

/** The codes of each of these definitions. */
type CodesOf<D> = D extends { readonly denials: infer Denials } ? keyof Denials & Code : never

/** A denial's code: `SALLY_ORIGIN_NOT_ALLOWED`… The peer learns this and nothing else. */
export type DenialCode = CodesOf<(typeof DEFINITIONS)[number]> | keyof typeof RUNNER_DENIALS

const rowsOf = (control: ControlId, denials: DenialTexts): readonly (readonly [string, DenialRow])[] =>
  Object.entries(denials).map(([code, row]) => [code, Object.freeze({ control, ...row })] as const)

/** All denials: one row for each code. `docs/codes.md` is generated from this table. */
export const DENIALS: Readonly<Record<DenialCode, DenialRow>> = Object.freeze(
  Object.fromEntries([
    ...DEFINITIONS.flatMap(({ id, denials }) => rowsOf(id, denials)),
    ...rowsOf('handshake/request', RUNNER_DENIALS),
  ]) as Record<DenialCode, DenialRow>,
)

/** The row of a denial code. Each denial is made by this library, so that its code has a row. */
export function denialRow(code: string): DenialRow {
  return DENIALS[code as DenialCode]
}

/** The sentence for the operator about one denial. */
export function sentenceOf({ code, facts }: Denial): string {
  return sentence(denialRow(code).tells, facts)
}
