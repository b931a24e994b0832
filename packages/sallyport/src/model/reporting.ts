import type { ControlId } from './verdict.ts'

/** What of a policy says which controls only report. */
export interface Reporting {
  readonly report: 'all' | ReadonlySet<ControlId>
}

/** Whether a control is in report mode: it reports what it would deny, and denies nothing. */
export function isReported({ report }: Reporting, control: ControlId): boolean {
  return report === 'all' || report.has(control)
}
