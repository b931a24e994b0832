import type { DenialCode } from '../policy/denials.ts'
import type { Policy } from '../policy/types.ts'
import type { ControlId } from '../model/verdict.ts'
import type { ControlKey } from '../policy/control-row.ts'
import { CONTROLS } from '../policy/controls.ts'
import { DENIALS } from '../policy/denials.ts'
import { type ControlState, reportPolicy } from '../policy/report.ts'

/** One denial in words. */
export interface DescribedDenial {
  readonly code: DenialCode
  readonly control: ControlId
  readonly means: string
  readonly remedy: string
  /** What the peer sees: `HTTP 403`, `close 1008`. */
  readonly answer: string
}

/** What a code means and what the peer sees. */
export function describeDenial(code: DenialCode): DescribedDenial {
  const { control, means, remedy, http, close, action } = DENIALS[code]
  const answers = [http === undefined ? '' : `HTTP ${http}`, close === undefined ? '' : `close ${close}`]
  return { code, control, means, remedy, answer: answers.filter(Boolean).join(' or ') || action }
}

/** One control under a policy. */
export interface DescribedControl {
  readonly state: ControlState
  /** Its values under this policy, in words. */
  readonly values: string
  /** The keys of the policy that decide. */
  readonly keys: readonly ControlKey[]
}

/** What a policy makes of a control, and the keys that decide. */
export function describeControl(id: ControlId, policy: Policy): DescribedControl {
  const line = reportPolicy(policy).controls.find(({ control }) => control === id)
  const keys = CONTROLS.find(control => control.id === id)?.keys ?? []
  return { state: line?.state ?? 'on', values: line?.values ?? '', keys }
}
