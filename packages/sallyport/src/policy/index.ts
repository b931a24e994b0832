/**
 * The controls and their keys as data, and the units of a policy. For programs that work with policies.
 *
 * @packageDocumentation
 */
export { CONTROLS } from './controls.ts'
export type { ControlKey, ControlRow } from './control-row.ts'
export { parseDuration, type Unusable } from '../shape/duration.ts'
export type { Problem } from '../shape/problem.ts'
export { parseSize } from '../shape/size.ts'
