import type { ControlId } from './verdict.ts'

/** Whether a control is in report mode: it reports what it would deny, and denies nothing. */
export function isReported(
  { report }: { readonly report: 'all' | ReadonlySet<ControlId> },
  control: ControlId,
): boolean {
  return report === 'all' || report.has(control)
}
