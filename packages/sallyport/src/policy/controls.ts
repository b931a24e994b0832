import { type ControlRow, rowOf } from './control-row.ts'
import { DEFINITIONS } from './definitions.ts'

export type { ControlRow } from './control-row.ts'

/** All controls. Each has one id, one row, one source file, one test and one page. */
export const CONTROLS: readonly ControlRow[] = Object.freeze(DEFINITIONS.map(control => rowOf(control)))
