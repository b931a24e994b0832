/**
 * For who reads configuration beside a policy, as the gateway does: the same units, the same sense of what is a guessable
 * secret, and the same guess at the word that was meant, so that both halves of a file are read alike; and for who is
 * called with options, the same errors. `CONTROLS` tells of every key of a policy.
 */
export { CONTROLS } from './controls.ts'
export type { ControlKey, ControlRow } from './control-row.ts'
export { parseDuration, type Unusable } from '../shape/duration.ts'
export { nearest } from '../shape/nearest.ts'
export { type Bounds, type Options, requireNumber, requireOptions } from '../shape/options.ts'
export type { Problem } from '../shape/problem.ts'
export { isPlaceholder } from '../shape/secret-value.ts'
export { bearsSecret, hidden } from '../shape/secret-text.ts'
export { kindOf, quote } from '../shape/shown.ts'
export { parseSize } from '../shape/size.ts'
